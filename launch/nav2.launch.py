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
Start an RGB-D camera, the segmentation node, and Nav2 with its semantic layer.

Nav2's own launch file does the rest: localisation, a map and the robot's driver are yours.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

HERE = Path(__file__).resolve().parent
CONFIG = HERE.parent / 'config'


def generate_launch_description() -> LaunchDescription:
    navigation = PathJoinSubstitution(
        [FindPackageShare('nav2_bringup'), 'launch', 'navigation_launch.py']
    )
    return LaunchDescription([
        DeclareLaunchArgument(
            'nav2_file', default_value=str(CONFIG / 'nav2.yaml'),
            description="Nav2's parameters.",
        ),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(HERE / 'rgbd.launch.py')),
            launch_arguments=[('params_file', str(CONFIG / 'nav2_segmentation.yaml'))],
        ),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(navigation),
            launch_arguments=[('params_file', LaunchConfiguration('nav2_file'))],
        ),
    ])
