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

"""Shared parts of the launch files for RGB-D cameras and consumers of masks."""

from collections.abc import Sequence
from typing import Any

from launch import LaunchContext
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetLaunchConfiguration,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import SetRemap
from launch_ros.substitutions import FindPackagePrefix
from launch_ros.utilities import make_namespace_absolute, prefix_namespace
from seg_ros.share import share_file

# The driver's topics, relative to the namespace.
IMAGE = 'camera/camera/color/image_raw'
DEPTH = 'camera/camera/aligned_depth_to_color/image_raw'
# Of rgbd.launch.py; the launch files that include it pass them on.
RGBD_ARGUMENTS = (
    'params_file', 'image', 'depth', 'cameras', 'name', 'namespace', 'use_sim_time',
)


def config_argument(name: str, file: str, description: str) -> DeclareLaunchArgument:
    """Declare an argument whose default is a file in config/."""
    return DeclareLaunchArgument(
        name, default_value=str(share_file(f'config/{file}')), description=description
    )


def camera_arguments(params_file: str, *packages: str) -> list[Any]:
    """
    Declare and check the arguments that all launch files with an RGB-D camera have.

    :param params_file: default of that argument, a file in config/.
    :param packages: packages that it starts executables of, besides the driver and RViz.
    """
    return [
        config_argument('params_file', params_file, 'Parameter file of the segmentation node.'),
        DeclareLaunchArgument(
            'image', default_value=IMAGE, description='Topic of the colour images.'
        ),
        DeclareLaunchArgument(
            'depth', default_value=DEPTH,
            description='Topic of depth registered (aligned) to the colour images.',
        ),
        DeclareLaunchArgument(
            'cameras', default_value='camera',
            description='Name of the camera, the prefix of its topics.',
        ),
        DeclareLaunchArgument(
            'name', default_value='segmentation', description='Name of the segmentation node.'
        ),
        DeclareLaunchArgument(
            'namespace', default_value='',
            description='Namespace of all nodes, such as the name of the robot.',
        ),
        DeclareLaunchArgument(
            'use_sim_time', default_value='false',
            description='Use the time of /clock in all nodes.',
        ),
        OpaqueFunction(function=_set_full_namespace),
        OpaqueFunction(function=_check_installed, args=[packages]),
    ]


def _set_full_namespace(context: LaunchContext) -> list[Any]:
    """Make the argument `namespace` absolute or empty, so that it means the same everywhere."""
    given = context.launch_configurations
    full = make_namespace_absolute(
        prefix_namespace(given.get('ros_namespace'), given['namespace'])
    )
    return [SetLaunchConfiguration('namespace', full.rstrip('/'))]


def _check_installed(context: LaunchContext, packages: Sequence[str]) -> None:
    """
    Check that other packages are installed, before anything starts.

    If launch only finds out later, processes that it is just starting outlive it.

    :raises PackageNotFoundError: if one is missing.
    """
    given = context.launch_configurations
    optional = {
        'realsense2_camera': given.get('driver', 'true'), 'rviz2': given.get('rviz', 'false'),
    }
    chosen = [name for name, switch in optional.items() if switch.lower() in ('true', '1')]
    for name in (*chosen, *packages):
        FindPackagePrefix(name).perform(context)


def rgbd_camera() -> GroupAction:
    """
    Include rgbd.launch.py: an RGB-D camera's driver and the segmentation node with its depth.

    It is in a group, so that the defaults of its other arguments do not affect later actions.
    """
    return GroupAction([IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share_file('launch/rgbd.launch.py'))),
        launch_arguments=[(name, LaunchConfiguration(name)) for name in RGBD_ARGUMENTS],
    )])


def robot(actions: list[Any]) -> GroupAction:
    """Group the nodes of one robot, with its TF in its namespace, where Nav2 expects it."""
    return GroupAction([
        *(
            SetRemap(f'/{topic}', [LaunchConfiguration('namespace'), f'/{topic}'])
            for topic in ('tf', 'tf_static')
        ),
        *actions,
    ])


def outputs() -> list[Any]:
    """Return the prefix of the camera's output topics, relative to the namespace."""
    return [LaunchConfiguration('name'), '/', LaunchConfiguration('cameras')]
