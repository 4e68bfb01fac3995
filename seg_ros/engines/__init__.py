"""
What runs a compiled graph: one contract, several runtimes.

Nothing falls back silently: `auto` takes the first runtime that is installed and its choice is
told in `Engine.facts`; a runtime that was asked for by name is opened or refused.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from seg_ros.core.contract import Engine
from seg_ros.core.errors import EngineError, SettingError
from seg_ros.core.settings import Settings
from seg_ros.engines.classical import METHODS, open_classical
from seg_ros.engines.model_path import path_from_model

DEFAULT_METHOD = 'watershed'
RUNTIMES = ('openvino', 'onnxruntime')


def open_engine(settings: Settings) -> Engine:
    """
    Open what the settings ask for.

    Until a default network ships, `default` is the classical engine's watershed.

    :raises SettingError: if the model's name cannot be used.
    :raises ModelError: if the model file is missing, truncated or not compiled.
    :raises EngineError: if the runtime is missing or refuses the model.
    """
    path = model_file(settings)
    if path is None:
        return open_classical(_method(settings))
    runtime = _runtime(settings.engine)
    opener = getattr(import_module(f'seg_ros.engines.{runtime}'), f'open_{runtime}')
    engine: Engine = opener(path, settings)
    return engine


def model_file(settings: Settings) -> Path | None:
    """
    Return the file that `settings.model` names, or None for a classical method.

    :raises SettingError: if it is neither.
    :raises ModelError: if the file is missing.
    """
    method = _method(settings)
    if settings.engine == 'classical' and method not in METHODS:
        raise SettingError(f'classical method {method!r}', f'one of {", ".join(METHODS)}')
    if settings.engine in ('auto', 'classical') and method in METHODS:
        return None
    return path_from_model(settings.model)


def _method(settings: Settings) -> str:
    return DEFAULT_METHOD if settings.model == 'default' else settings.model


def _runtime(name: str) -> str:
    """Choose among the runtimes that are installed."""
    if name == 'auto':
        installed = [runtime for runtime in RUNTIMES if find_spec(runtime)]
        if not installed:
            raise EngineError(
                'neither OpenVINO nor ONNX Runtime is installed', 'at least one of them',
                'pip install openvino',
            )
        return installed[0]
    if name not in RUNTIMES:
        raise EngineError(
            f'engine {name} is not part of this version',
            f'auto, classical, {" or ".join(RUNTIMES)}',
        )
    if not find_spec(name):
        raise EngineError(f'engine {name} is not installed', do=f'pip install {name}')
    return name
