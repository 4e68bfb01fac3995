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

"""Opening the engine that the settings select, or the first usable one."""

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.engine import Engine
from seg_ros.core.errors import EngineError, SettingError
from seg_ros.core.plugins import ENGINES, load_plugin
from seg_ros.core.progress import Cancelled, never, Report, silent
from seg_ros.core.settings import OWN_ENGINES, Settings
from seg_ros.engines.classical import METHODS, open_classical
from seg_ros.engines.model_path import path_from_model
from seg_ros.engines.optional_package import map_package_errors
from seg_ros.engines.tensorrt.flavour import FLAVOURS, load_flavour

DEFAULT_METHOD = 'watershed'
CPU_RUNTIMES = ('openvino', 'onnxruntime')
RUNTIMES = ('tensorrt', *CPU_RUNTIMES)


def open_engine(
    settings: Settings, report: Report = silent, cancelled: Cancelled = never
) -> Engine:
    """
    Open the engine that the settings select.

    Model `default` is the package's own network; with the classical engine it is `watershed`.

    :param report: called with the progress of a TensorRT build, which may take minutes.
    :param cancelled: polled during the build; True cancels it.
    :raises SettingError: if the model's name is invalid.
    :raises ModelError: if the model file is missing, truncated or not compiled.
    :raises EngineError: if the runtime is missing or refuses the model.
    :raises PluginError: if the engine is a plug-in that cannot be loaded.
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
        # The requested device may exist only in a runtime that was tried before.
        raise type(error)('; '.join((str(error), *notes))) from error


def _open(
    runtime: str, path: Path, settings: Settings, report: Report, cancelled: Cancelled
) -> Engine:
    """
    Import a runtime and open the model with it.

    :raises PluginError: if it is a plug-in that cannot be loaded.
    """
    with map_package_errors(runtime):
        if runtime == 'tensorrt':
            from seg_ros.engines.tensorrt.engine import open_tensorrt

            return open_tensorrt(path, settings, report, cancelled)
        if runtime == 'openvino':
            from seg_ros.engines.openvino import open_openvino

            return open_openvino(path, settings)
        if runtime == 'onnxruntime':
            from seg_ros.engines.onnxruntime import open_onnxruntime

            return open_onnxruntime(path, settings)
        engine: Engine = load_plugin(ENGINES, runtime)(path, settings)
        return engine


def _with_notes(engine: Engine, notes: Sequence[str]) -> Engine:
    if notes:
        engine.facts = replace(engine.facts, notes=(*engine.facts.notes, *notes))
    return engine


def stand_in(settings: Settings) -> Settings | None:
    """
    Return CPU settings to use while TensorRT builds the plan for `settings`.

    :returns: None if no build is needed, `engine` is not `auto`, or no CPU runtime is installed.
    :raises SegError: as `open_engine` does.
    """
    path = model_file(settings)
    if path is None or settings.engine != 'auto' or _runtimes(settings)[0] != ['tensorrt']:
        return None
    from seg_ros.engines.cuda.gpu import find_gpu
    from seg_ros.engines.tensorrt.plan_source import cached

    if cached(read_compiled(path), settings, find_gpu(settings.device)):
        return None
    return replace(settings, device='CPU') if _installed_on_cpu() else None


def model_file(settings: Settings) -> Path | None:
    """
    Return the file that `settings.model` names, or None for a classical method.

    :raises SettingError: if it is neither, or the engine cannot run a classical method.
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


def _runtimes(settings: Settings) -> tuple[list[str], list[str]]:
    """
    Choose from the installed runtimes.

    :returns: the runtimes to try, in order, and why TensorRT is not among them if it is installed
        but unusable.
    """
    name = settings.engine
    if name == 'auto':
        problem = ''
        if _wants_gpu(settings.device):
            problem = _tensorrt_problem(settings.device)
            if not problem:
                return ['tensorrt'], []
        if not _installed_on_cpu():
            raise EngineError(
                'neither OpenVINO nor ONNX Runtime is installed', 'at least one of them',
                'pip install openvino',
            )
        return _installed_on_cpu(), [problem] if problem else []
    if name not in OWN_ENGINES:
        return [name], []
    if not any(map(find_spec, FLAVOURS if name == 'tensorrt' else [name])):
        raise EngineError(f'engine {name} is not installed', do=f'pip install {name}')
    return [name], []


def _installed_on_cpu() -> list[str]:
    return [runtime for runtime in CPU_RUNTIMES if find_spec(runtime)]


def _wants_gpu(device: str) -> bool:
    """Return whether the device may be a GPU and TensorRT is installed for it."""
    if not any(map(find_spec, FLAVOURS)):
        return False
    from seg_ros.engines.cuda.gpu import may_have_gpu

    name = device.lower()
    return name.startswith('cuda') or (name == 'auto' and may_have_gpu())


def _tensorrt_problem(device: str) -> str:
    """Return why TensorRT, which is installed, cannot be used; empty if it can."""
    from seg_ros.engines.cuda.gpu import find_gpu

    try:
        load_flavour()
        find_gpu(device)
        if not find_spec('pycuda'):
            raise EngineError('pycuda is not installed', do='pip install pycuda')
        with map_package_errors('pycuda'):
            import_module('pycuda.driver')
    except EngineError as error:
        return f'TensorRT is installed but not used: {error}'
    return ''
