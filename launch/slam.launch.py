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
Start an RGB-D camera, the segmentation node, and RTAB-Map on its static depth.

Static depth is 0 on dynamic objects; RTAB-Map's odometry and mapping treat 0 as missing depth.
"""

from launch import LaunchDescription
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from seg_ros.launch_actions import (
    camera_arguments,
    config_argument,
    outputs,
    rgbd_camera,
    robot,
)

RTABMAP = (('rtabmap_odom', 'rgbd_odometry'), ('rtabmap_slam', 'rtabmap'))


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([
        *camera_arguments('slam.yaml', *(package for package, _ in RTABMAP)),
        config_argument('rtabmap_file', 'rtabmap.yaml', "RTAB-Map's parameters."),
        robot([rgbd_camera(), *(rtabmap(*which) for which in RTABMAP)]),
    ])


def rtabmap(package: str, executable: str) -> Node:
    """Return a node of RTAB-Map that reads static depth."""
    return Node(
        package=package, executable=executable, name=executable, output='screen',
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            LaunchConfiguration('rtabmap_file'),
            {'use_sim_time': LaunchConfiguration('use_sim_time')},
        ],
        remappings=[
            ('rgb/image', LaunchConfiguration('image')),
            ('rgb/camera_info', [*outputs(), '/static/camera_info']),
            ('depth/image', [*outputs(), '/static/depth']),
        ],
    )
