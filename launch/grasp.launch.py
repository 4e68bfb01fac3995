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

"""
Start an RGB-D camera and the segmentation node for grasping.

config/moveit_sensors.yaml is what move_group takes to plan around all but the target: pass it as
`sensors_3d` of your robot's MoveIt configuration.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

HERE = Path(__file__).resolve().parent
CONFIG = HERE.parent / 'config'


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([
        DeclareLaunchArgument(
            'grasp_file', default_value=str(CONFIG / 'grasp.yaml'),
            description="The segmentation node's parameters.",
        ),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(HERE / 'rgbd.launch.py')),
            launch_arguments=[('params_file', LaunchConfiguration('grasp_file'))],
        ),
    ])
