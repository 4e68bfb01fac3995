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

"""Files that ship beside the code, and how Fast DDS finds its own."""

import pytest
from seg_ros import share
from seg_ros.core.errors import SegError
from seg_ros.share import fastdds_profile, share_file

PROFILE = str(share_file('config/fastdds.xml'))


@pytest.mark.parametrize(('environment', 'expected'), [
    ({'ROS_DISTRO': 'humble'}, {'FASTRTPS_DEFAULT_PROFILES_FILE': PROFILE}),
    ({'ROS_DISTRO': 'kilted'}, {'FASTDDS_DEFAULT_PROFILES_FILE': PROFILE}),
    ({}, {'FASTRTPS_DEFAULT_PROFILES_FILE': PROFILE}),
    ({'FASTRTPS_DEFAULT_PROFILES_FILE': 'mine.xml'}, {}),
    ({'ROS_DISTRO': 'jazzy', 'FASTDDS_DEFAULT_PROFILES_FILE': 'mine.xml'}, {}),
])
def test_fast_dds_gets_the_profile_unless_the_user_has_another(environment, expected):
    assert fastdds_profile(environment) == expected


def test_a_workspace_over_another_installation_takes_its_own_files(tmp_path, monkeypatch):
    workspace = tmp_path / 'install' / 'seg_ros'
    package = workspace / 'lib' / 'python3' / 'site-packages' / 'seg_ros'
    for prefix in (workspace, tmp_path / 'venv'):
        (prefix / 'share' / 'seg_ros' / 'config').mkdir(parents=True)
        (prefix / 'share' / 'seg_ros' / 'config' / 'fastdds.xml').touch()
    monkeypatch.setattr(share, '__file__', str(package / 'share.py'))
    monkeypatch.setattr('sys.prefix', str(tmp_path / 'venv'))
    found = share_file('config/fastdds.xml')
    assert found == workspace / 'share' / 'seg_ros' / 'config' / 'fastdds.xml'


def test_a_file_that_is_nowhere_is_named():
    with pytest.raises(SegError, match=r'config/none\.yaml is not installed'):
        share_file('config/none.yaml')
