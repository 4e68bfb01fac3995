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
Start the segmentation node and, on request, RViz.

For example: `ros2 launch seg_ros segmentation.launch.py image:=/front/image_raw rviz:=true`
"""

from collections.abc import Mapping
import logging
from pathlib import Path
from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch_ros.actions import LifecycleNode, Node
from seg_ros.params_file import parameters_for
from seg_ros.share import fastdds_profile

CONFIG = Path(__file__).resolve().parents[1] / 'config'
SWITCHES = ['true', 'false', 'True', 'False', '1', '0']


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([
        DeclareLaunchArgument(
            'params_file', default_value=str(CONFIG / 'segmentation.yaml'),
            description='Parameter file; arguments below that are not empty override it.',
        ),
        DeclareLaunchArgument(
            'model', default_value='', description='Absolute path of a compiled model, or default.'
        ),
        DeclareLaunchArgument(
            'cameras', default_value='',
            description='Names of the cameras, separated by commas (the parameter cameras).',
        ),
        DeclareLaunchArgument(
            'image', default_value='',
            description='Image topics, separated by commas: one for each camera in cameras or in '
                        'params_file, or a single topic for one camera named camera.',
        ),
        DeclareLaunchArgument(
            'depth', default_value='',
            description='Topics of depth registered to the images, one for each camera.',
        ),
        DeclareLaunchArgument(
            'autostart', default_value='', choices=['', *SWITCHES],
            description='Configure and activate the node at start (the parameter autostart).',
        ),
        DeclareLaunchArgument(
            'use_sim_time', default_value='', choices=['', *SWITCHES],
            description='Use the time of /clock (the parameter use_sim_time).',
        ),
        DeclareLaunchArgument('name', default_value='segmentation', description='Node name.'),
        DeclareLaunchArgument('namespace', default_value='', description='Node namespace.'),
        DeclareLaunchArgument(
            'log_level', default_value='info', description='debug, info, warn, error or fatal.'
        ),
        DeclareLaunchArgument(
            'rviz', default_value='false', choices=SWITCHES,
            description='Start RViz with the images and masks of the first camera.',
        ),
        OpaqueFunction(function=nodes),
    ])


def nodes(context: LaunchContext) -> list[Node]:
    """
    Return the node and, on request, RViz.

    :raises ValueError: if the numbers of topics and of cameras differ.
    :raises FileNotFoundError: if `params_file` is missing; launch would silently continue.
    :raises SegError: if `params_file` cannot be read.
    """
    given = context.launch_configurations
    params_file = Path(given['params_file']).expanduser()
    if not params_file.is_file():
        raise FileNotFoundError(f'no params_file at {params_file}')
    file_parameters = parameters_for(params_file, _full_name(given))
    images = _names(given['image'])
    cameras = _cameras(given, images, _listed(file_parameters.get('cameras')))
    switches = {key: _is_on(given[key]) for key in ('autostart', 'use_sim_time') if given[key]}
    overrides = {
        **switches,
        **({'model': given['model']} if given['model'] else {}),
        **({'cameras': cameras} if given['cameras'] or images else {}),
    }
    segmentation = LifecycleNode(
        package='seg_ros',
        executable='segmentation_node',
        name=given['name'],
        namespace=given['namespace'],
        parameters=[str(params_file), *([overrides] if overrides else [])],
        remappings=[
            *(
                (f'{camera}/image_raw', image)
                for camera, image in zip(cameras, images, strict=False)
            ),
            *(
                (f'{camera}/depth_registered/image_rect', depth)
                for camera, depth in zip(cameras, _depths(given, cameras), strict=False)
            ),
        ],
        ros_arguments=['--log-level', given['log_level']],
        additional_env=fastdds_profile(context.environment),
        output='screen',
        emulate_tty=True,
    )
    if not _is_on(given['rviz']):
        return [segmentation]
    sim_time = {'use_sim_time': False, **file_parameters, **switches}['use_sim_time']
    image = images[0] if images else f'{cameras[0]}/image_raw'
    # RViz first: where it is missing launch ends, and what it is just starting outlives it.
    return [_rviz(given, cameras[0], image, bool(sim_time)), segmentation]


def _full_name(given: Mapping[str, str]) -> str:
    """Return the node's full name, including pushed namespaces if its own is relative."""
    pushed = '' if given['namespace'].startswith('/') else given.get('ros_namespace', '')
    parts = (name.strip('/') for name in (pushed, given['namespace'], given['name']))
    return '/' + '/'.join(filter(None, parts))


def _cameras(given: Mapping[str, str], images: list[str], in_file: list[str]) -> list[str]:
    """
    Return the cameras' names: those given, else those in the params_file, else `camera`.

    :raises ValueError: if the numbers of images and of cameras differ.
    """
    named = _names(given['cameras'])
    if images and named and len(images) != len(named):
        raise ValueError(f'image names {len(images)} topics, cameras {len(named)} cameras')
    if named or not images or len(images) == len(in_file):
        return named or in_file or ['camera']
    if len(images) > 1:
        raise ValueError(
            f'image names {len(images)} topics, {given["params_file"]} {len(in_file)} cameras: '
            'name the cameras with cameras:='
        )
    if in_file:
        logging.getLogger('launch').warning(
            'image:=%s replaces the cameras %s of %s by one named camera; name it with cameras:=',
            images[0], ', '.join(in_file), given['params_file'],
        )
    return ['camera']


def _depths(given: Mapping[str, str], cameras: list[str]) -> list[str]:
    """
    Return the topics of depth, either none or one for each camera.

    :raises ValueError: if the numbers of topics and of cameras differ.
    """
    depths = _names(given['depth'])
    if depths and len(depths) != len(cameras):
        raise ValueError(f'depth names {len(depths)} topics, there are {len(cameras)} cameras')
    return depths


def _names(text: str) -> list[str]:
    return [word.strip() for word in text.split(',') if word.strip()]


def _listed(names: Any) -> list[str]:
    """Return the names in a parameter that is a list of names or a single name."""
    return [names] if isinstance(names, str) else [str(name) for name in names or []]


def _is_on(word: str) -> bool:
    return word.lower() in ('true', '1')


def _rviz(given: Mapping[str, str], camera: str, image: str, sim_time: bool) -> Node:
    """Return RViz with the topics of its configuration remapped to those of this node."""
    outputs = [
        (f'/segmentation/camera/{topic}', f'{given["name"]}/{camera}/{topic}')
        for topic in ('overlay', 'color')
    ]
    return Node(
        package='rviz2',
        executable='rviz2',
        namespace=given['namespace'],
        arguments=['-d', str(CONFIG / 'segmentation.rviz')],
        parameters=[{'use_sim_time': sim_time}],
        remappings=[*outputs, ('/camera/image_raw', image)],
    )
