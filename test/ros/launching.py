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

"""Run a launch file in a separate process, as `ros2 launch` does."""

import os
from pathlib import Path
import subprocess
import sys

LAUNCH = Path(__file__).parents[2] / 'launch'
PROGRAM = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

file, *arguments = sys.argv[1:]
service = LaunchService()
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(
    PythonLaunchDescriptionSource(file),
    launch_arguments=[tuple(argument.split(':=')) for argument in arguments],
)]))
sys.exit(service.run())
"""


def launched(file: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """
    Start a launch file; SIGINT ends it.

    :param arguments: such as `name:=value`.
    """
    return subprocess.Popen(
        [sys.executable, '-c', PROGRAM, str(LAUNCH / file), *arguments],
        env={**os.environ, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
