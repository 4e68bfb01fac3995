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

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

HERE = Path(__file__).resolve().parent
PASSED = ('params_file', 'model', 'image', 'depth')


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([
        DeclareLaunchArgument(
            'driver', default_value='true',
            description='Start a RealSense driver; false where a camera runs already.',
        ),
        DeclareLaunchArgument(
            'image', default_value='/camera/camera/color/image_raw',
            description='Topic of the colour images.',
        ),
        DeclareLaunchArgument(
            'depth', default_value='/camera/camera/aligned_depth_to_color/image_raw',
            description='Topic of depth that is registered (aligned) to them.',
        ),
        DeclareLaunchArgument(
            'params_file', default_value=str(HERE.parent / 'config' / 'segmentation.yaml'),
            description="The segmentation node's parameters.",
        ),
        DeclareLaunchArgument('model', default_value='', description='The parameter model.'),
        Node(
            package='realsense2_camera', executable='realsense2_camera_node', name='camera',
            namespace='camera', output='screen',
            condition=IfCondition(LaunchConfiguration('driver')),
            parameters=[{'align_depth.enable': True, 'enable_sync': True}],
        ),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(HERE / 'segmentation.launch.py')),
            launch_arguments=[(name, LaunchConfiguration(name)) for name in PASSED],
        ),
    ])
