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

"""Writing of output files, with their folders."""

from pathlib import Path

from seg_ros.core.errors import SettingError
from seg_ros.core.whole_file import write_whole


def write_file(path: Path, data: bytes) -> None:
    """
    Write a file atomically, and create its folder if missing.

    :raises SettingError: if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f'{path.parent} cannot be written ({error.strerror})',
            'a writable folder with free space', 'choose another --out',
        ) from error
    write_whole(path, data)
