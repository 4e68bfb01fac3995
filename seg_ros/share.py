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

"""Paths of the package's launch and configuration files, and the variable for Fast DDS's."""

from collections.abc import Mapping
from pathlib import Path
import sys

from seg_ros.core.errors import SegError


def share_file(name: str) -> Path:
    """
    Find a file that is installed with the package, such as `config/fastdds.xml`.

    The search starts in the source tree of an editable installation, goes on with every prefix
    that may contain this package, and ends with Python's, which may contain another seg_ros.

    :raises SegError: if it is not found.
    """
    package = Path(__file__).resolve().parent
    python = Path(sys.prefix) / 'share' / 'seg_ros'
    prefixes = [parent / 'share' / 'seg_ros' for parent in package.parents]
    folders = [package.parent, *prefixes, python]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise SegError(f'{name} is not installed', f'it in {python}', 'install seg_ros again')


def fastdds_profile(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variable that sets our profile for Fast DDS, unless the user has set one."""
    until_jazzy, since_kilted = 'FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'
    if until_jazzy in environment or since_kilted in environment:
        return {}
    old = environment.get('ROS_DISTRO', 'jazzy') in ('humble', 'iron', 'jazzy')
    return {until_jazzy if old else since_kilted: str(share_file('config/fastdds.xml'))}
