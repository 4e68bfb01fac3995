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
Start an RGB-D camera's driver and the segmentation node with its depth.

For example: `ros2 launch seg_ros rgbd.launch.py driver:=false image:=/rgb depth:=/depth`
"""

import os
from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, PushRosNamespace
from seg_ros.launch_actions import camera_arguments, RGBD_ARGUMENTS
from seg_ros.share import fastdds_profile

SEGMENTATION = Path(__file__).resolve().parent / 'segmentation.launch.py'


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([
        *camera_arguments('segmentation.yaml'),
        DeclareLaunchArgument(
            'driver', default_value='true',
            description='Start the RealSense driver; set to false if a camera is already running.',
        ),
        GroupAction([PushRosNamespace(LaunchConfiguration('namespace')), driver()]),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(SEGMENTATION)),
            launch_arguments=[(name, LaunchConfiguration(name)) for name in RGBD_ARGUMENTS],
        ),
    ])


def driver() -> Node:
    """Return the camera's driver, with the same shared memory for images as the node."""
    return Node(
        package='realsense2_camera', executable='realsense2_camera_node', name='camera',
        namespace='camera', output='screen', additional_env=fastdds_profile(os.environ),
        condition=IfCondition(LaunchConfiguration('driver')),
        parameters=[{'align_depth.enable': True, 'enable_sync': True}],
    )
