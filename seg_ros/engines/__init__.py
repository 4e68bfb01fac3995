# Copyright 2026 seg_ros contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""
Engines: the runtimes that run a compiled graph, behind one contract.

Nothing falls back silently: `auto` takes the first runtime that is installed and its choice is
reported in `Engine.facts`; a runtime that was asked for by name is opened or refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
import os
from pathlib import Path
import sys

from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.engine import Engine
from seg_ros.core.errors import EngineError, SettingError
from seg_ros.core.plugins import ENGINES, load_plugin
from seg_ros.core.progress import Cancelled, never, Report, silent
from seg_ros.core.settings import OWN_ENGINES, Settings
from seg_ros.engines.classical import METHODS, open_classical
from seg_ros.engines.flavour import FLAVOURS, load_flavour
from seg_ros.engines.model_path import path_from_model
from seg_ros.engines.optional_package import whole

# Both CPU runtimes send telemetry when they are imported, and write an id of the machine into the
# home folder. It is off here: by ONNX Runtime's own switch, and in OpenVINO, which has none for a
# process, by hiding its telemetry package.
# https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
# https://docs.openvino.ai/2026/about-openvino/additional-resources/telemetry.html
os.environ.setdefault('ORT_DISABLE_TELEMETRY', '1')
sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]

DEFAULT_METHOD = 'watershed'
CPU_RUNTIMES = ('openvino', 'onnxruntime')
RUNTIMES = ('tensorrt', *CPU_RUNTIMES)


def open_engine(
    settings: Settings, report: Report = silent, cancelled: Cancelled = never
) -> Engine:
    """
    Open the engine that the settings name.

    `default` is the network of the package; for the classical engine it is the watershed.

    :param report: called with how far TensorRT is, which may build for minutes.
    :param cancelled: asked meanwhile whether to give up.
    :raises SettingError: if the model's name cannot be used.
    :raises ModelError: if the model file is missing, truncated or not compiled.
    :raises EngineError: if the runtime is missing or refuses the model.
    :raises PluginError: if the engine is another package's, which is broken.
    """
    path = model_file(settings)
    if path is None:
        return open_classical(_method(settings))
    (*others, last), notes = _runtimes(settings)
    for runtime in others:
        try:
            return _with_notes(_open(runtime, path, settings, report, cancelled), notes)
        except EngineError as error:
            notes.append(f'{runtime} is skipped: {error}')
    try:
        return _with_notes(_open(last, path, settings, report, cancelled), notes)
    except EngineError as error:
        if not notes:
            raise
        # The requested device may be one that only an earlier runtime has.
        raise type(error)('; '.join((str(error), *notes))) from error


def _open(
    runtime: str, path: Path, settings: Settings, report: Report, cancelled: Cancelled
) -> Engine:
    with whole(runtime):
        if runtime == 'tensorrt':
            return _opener(runtime)(path, settings, report, cancelled)
        return _opener(runtime)(path, settings)


def _with_notes(engine: Engine, notes: Sequence[str]) -> Engine:
    if notes:
        engine.facts = replace(engine.facts, notes=(*engine.facts.notes, *notes))
    return engine


def stand_in(settings: Settings) -> Settings | None:
    """
    Return settings for the CPU that can serve while TensorRT builds what `settings` ask for.

    :returns: None where nothing has to be built, or the user wants TensorRT and nothing else.
    :raises SegError: as `open_engine` does.
    """
    path = model_file(settings)
    if path is None or settings.engine != 'auto' or _runtimes(settings)[0] != ['tensorrt']:
        return None
    from seg_ros.engines.gpu import find_gpu
    from seg_ros.engines.plan import cached

    if cached(read_compiled(path), settings, find_gpu(settings.device)):
        return None
    return replace(settings, device='CPU') if _installed_on_cpu() else None


def model_file(settings: Settings) -> Path | None:
    """
    Return the file that `settings.model` names, or None for a classical method.

    :raises SettingError: if it is neither.
    :raises ModelError: if the file is missing.
    """
    method = _method(settings)
    if settings.engine == 'classical' and method not in METHODS:
        raise SettingError(f'classical method {method!r}', f'one of {", ".join(METHODS)}')
    if method in METHODS:
        if settings.engine not in ('auto', 'classical'):
            raise SettingError(
                f'{method}, a classical method, with engine {settings.engine}',
                'engine auto or classical',
            )
        return None
    return path_from_model(settings.model)


def _method(settings: Settings) -> str:
    if settings.engine == 'classical' and settings.model == 'default':
        return DEFAULT_METHOD
    return settings.model


def _opener(runtime: str) -> Callable[..., Engine]:
    """
    Import the function that opens a runtime.

    :raises PluginError: if it is another package's and broken.
    """
    opener: Callable[..., Engine]
    if runtime in RUNTIMES:
        opener = getattr(import_module(f'seg_ros.engines.{runtime}'), f'open_{runtime}')
    else:
        opener = load_plugin(ENGINES, runtime)
    return opener


def _runtimes(settings: Settings) -> tuple[list[str], list[str]]:
    """
    Choose among the runtimes that are installed.

    :returns: those to try in turn, and why TensorRT is not among them where it is there but
        cannot be used.
    """
    name = settings.engine
    if name == 'auto':
        obstacle = _tensorrt_obstacle(settings)
        if obstacle is None:
            return ['tensorrt'], []
        if not _installed_on_cpu():
            raise EngineError(
                'neither OpenVINO nor ONNX Runtime is installed', 'at least one of them',
                'pip install openvino',
            )
        return _installed_on_cpu(), [obstacle] if obstacle else []
    if name not in OWN_ENGINES:
        return [name], []
    if not any(map(find_spec, FLAVOURS if name == 'tensorrt' else [name])):
        raise EngineError(f'engine {name} is not installed', do=f'pip install {name}')
    return [name], []


def _installed_on_cpu() -> list[str]:
    return [runtime for runtime in CPU_RUNTIMES if find_spec(runtime)]


def _tensorrt_obstacle(settings: Settings) -> str | None:
    """Return why TensorRT cannot be used, empty where nobody expects it to; None if it can."""
    device = settings.device.lower()
    if not (device == 'auto' or device.startswith('cuda')) or not any(map(find_spec, FLAVOURS)):
        return ''
    from seg_ros.engines.gpu import find_gpu, may_have_gpu

    if device == 'auto' and not may_have_gpu():
        return ''
    try:
        load_flavour()
        find_gpu(settings.device)
        if not find_spec('pycuda'):
            raise EngineError('no pycuda', do='pip install pycuda')
        with whole('pycuda'):
            import_module('pycuda.driver')
    except EngineError as error:
        return f'TensorRT is installed but not used: {error}'
    return None
