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

Navigation is started by Nav2's own launch file. Localisation, a map and the robot's driver are not
started.
"""

from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetLaunchConfiguration,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import PushRosNamespace
from launch_ros.substitutions import FindPackageShare
from seg_ros.launch_actions import camera_arguments, config_argument, rgbd_camera, robot
from seg_ros.nav2_file import completed_file

BRINGUP = FindPackageShare('nav2_bringup')
NAV2_ARGUMENTS = ('namespace', 'use_sim_time', 'autostart')


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([
        *camera_arguments('nav2_segmentation.yaml', 'nav2_bringup'),
        DeclareLaunchArgument(
            'nav2_file',
            default_value=PathJoinSubstitution([BRINGUP, 'params', 'nav2_params.yaml']),
            description="Nav2's parameters, to which the layers of layer_file are added.",
        ),
        config_argument('layer_file', 'nav2.yaml', 'Parameters of the costmap layers to add.'),
        DeclareLaunchArgument(
            'autostart', default_value='true',
            description='Configure and activate the segmentation node and Nav2 at start.',
        ),
        OpaqueFunction(function=_complete),
        robot([rgbd_camera(), GroupAction([
            PushRosNamespace(LaunchConfiguration('namespace')),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(
                    PathJoinSubstitution([BRINGUP, 'launch', 'navigation_launch.py'])
                ),
                launch_arguments=[
                    ('params_file', LaunchConfiguration('nav2_file')),
                    *((name, LaunchConfiguration(name)) for name in NAV2_ARGUMENTS),
                ],
            ),
        ])]),
    ])


def _complete(context: LaunchContext) -> list[Any]:
    """Set `nav2_file` to a file that includes the layers, with the topics of this camera."""
    given = context.launch_configurations
    topics = '/'.join(given[name] for name in ('namespace', 'name', 'cameras'))
    path = completed_file(given['nav2_file'], given['layer_file'], topics)
    return [SetLaunchConfiguration('nav2_file', path)]
