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

"""What the launch files for consumers share."""

from typing import Any

from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from seg_ros.share import share_file


def config_argument(name: str, file: str, description: str) -> DeclareLaunchArgument:
    """Declare an argument whose default is a file of config/."""
    return DeclareLaunchArgument(
        name, default_value=str(share_file(f'config/{file}')), description=description
    )


def rgbd_camera(params_file: Any) -> IncludeLaunchDescription:
    """
    Include rgbd.launch.py: an RGB-D camera's driver and the segmentation node with its depth.

    :param params_file: path of the node's parameters, or a substitution that gives it.
    """
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share_file('launch/rgbd.launch.py'))),
        launch_arguments=[('params_file', params_file)],
    )
