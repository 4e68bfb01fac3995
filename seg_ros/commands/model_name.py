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

"""Resolution of a model's name on the command line to its file."""

from pathlib import Path

from seg_ros.core.errors import SettingError
from seg_ros.core.shown import did_you_mean


def path_from_name(model: str) -> Path:
    """
    Return the path of a model's file, which need not exist: reading it reports that.

    :param model: a path, also relative to the working folder, `~/…`, `package://PKG/PATH` or
        `default`.
    :raises SettingError: for a classical method, which has no file, and for any other word.
    :raises ModelError: if the package is missing.
    """
    # OpenCV takes a moment to import, which --help need not wait for.
    from seg_ros.engines.classical import METHODS
    from seg_ros.engines.model_path import absolute_model, is_word, path_from_model

    absolute = absolute_model(model)
    if absolute in METHODS:
        raise SettingError(
            f'{model}, a classical method, which has no file', 'a model file or default',
            'seg_ros run, eval and view accept methods',
        )
    if is_word(absolute) and absolute != 'default':
        raise SettingError(
            f'{model} is neither default nor a file here', 'a model file or default',
            did_you_mean(model, ['default']),
        )
    named = absolute == 'default' or '://' in absolute
    return path_from_model(absolute) if named else Path(model).expanduser()
