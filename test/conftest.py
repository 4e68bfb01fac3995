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

"""The surroundings of every test: ROS that keeps to this machine and to this test process."""

from importlib.util import find_spec
import os
import sys
from typing import Any

import pytest

WORKER = int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw'))

for name in (
    'RMW_IMPLEMENTATION', 'FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'
):
    os.environ.pop(name, None)
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
if os.environ.get('ROS_DISTRO') == 'humble':    # which does not know the variable above
    os.environ['ROS_LOCALHOST_ONLY'] = '1'
# Domains up to 101 leave the ports that Linux hands out to others alone.
os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 90))
os.environ['ROS_DOMAIN_ID'] = str((int(os.environ['ROS_DOMAIN_ID']) + WORKER) % 102)
os.environ.setdefault('AMENT_PREFIX_PATH', sys.prefix)  # where ROS wheels put their share folder


def pytest_report_header() -> list[str]:
    return [] if find_spec('rclpy') else ['test/ros is left out: ROS 2 is not installed']


@pytest.fixture(scope='session', autouse=True)
def ros_log_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ['ROS_LOG_DIR'] = str(tmp_path_factory.mktemp('ros_log'))


@pytest.fixture
def ros() -> Any:
    """
    Give the test a ROS context of its own.

    Nodes are destroyed and spinning threads joined by whoever made them: a thread that still spins
    when the interpreter ends aborts it.
    """
    context = pytest.importorskip('rclpy', reason='ROS 2 is not installed').Context()
    context.init(args=[])
    yield context
    context.try_shutdown()
