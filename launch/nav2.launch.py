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

from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare
from seg_ros.launch_actions import config_argument, rgbd_camera
from seg_ros.share import share_file


def generate_launch_description() -> LaunchDescription:
    navigation = PathJoinSubstitution(
        [FindPackageShare('nav2_bringup'), 'launch', 'navigation_launch.py']
    )
    return LaunchDescription([
        config_argument('nav2_file', 'nav2.yaml', "Nav2's parameters."),
        rgbd_camera(str(share_file('config/nav2_segmentation.yaml'))),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(navigation),
            launch_arguments=[('params_file', LaunchConfiguration('nav2_file'))],
        ),
    ])
