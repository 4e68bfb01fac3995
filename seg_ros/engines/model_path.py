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

"""Resolution of a model's name to its file."""

import os
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from seg_ros.core.errors import ModelError, SettingError
from seg_ros.core.shown import did_you_mean, shown

DEFAULT_NETWORK = Path(__file__).resolve().parents[1] / 'models' / 'default.onnx'


def path_from_model(model: str) -> Path:
    """
    Resolve `default`, an absolute path, `~/…` or `package://PKG/PATH`.

    :raises SettingError: for a relative path, since a node's working directory varies, and for a
        word that is not the name of a model.
    :raises ModelError: if the package or the file is missing.
    """
    if model == 'default':
        return DEFAULT_NETWORK
    scheme = 'package://'
    if model.startswith(scheme):
        package, _, rest = model.removeprefix(scheme).partition('/')
        path = _share_folder(package) / rest
    else:
        path = Path(os.path.expanduser(model))
    if is_word(model):
        raise _unknown(model)
    if not path.is_absolute():
        raise SettingError(
            f'model {shown(model)} is a relative path',
            'an absolute path, ~/…, package://PKG/PATH or default',
        )
    if flaw := _flaw(path):
        raise ModelError(f'no model file at {path} ({flaw})', do='check its path')
    return path


def is_word(model: str) -> bool:
    """Return whether a model's name is a word like `default`, and does not look like a path."""
    return os.sep not in model and not Path(model).suffix and model != '~'


def _unknown(model: str) -> SettingError:
    from seg_ros.engines.classical import METHODS

    return SettingError(
        f'no model is called {shown(model)}',
        f"default, a classical method ({', '.join(METHODS)}) or a file's path: absolute, ~/… or "
        'package://PKG/PATH',
        did_you_mean(model, ('default', *METHODS), 0.7),
    )


def _flaw(path: Path) -> str:
    """Return why a path is not a readable file; empty if it is one."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:      # ValueError for a NUL character
        return str(getattr(error, 'strerror', error))
    if S_ISREG(mode):
        return ''
    return 'it is a folder' if S_ISDIR(mode) else 'it is a device, a pipe or a socket'


def absolute_model(model: str) -> str:
    """Make a path absolute; leave `default`, `package://…` and names of methods alone."""
    path = Path(model)
    # Path.is_file raises if a folder is not accessible.
    is_path = os.path.isfile(path) or not is_word(model)
    return str(path.expanduser().absolute()) if is_path and '://' not in model else model


def _share_folder(package: str) -> Path:
    try:
        from ament_index_python.packages import get_package_share_directory

        return Path(get_package_share_directory(package))
    except (ImportError, LookupError, OSError, ValueError) as error:
        raise ModelError(
            f'package {shown(package)} is not found ({error})',
            do='source the workspace that has it',
        ) from error
