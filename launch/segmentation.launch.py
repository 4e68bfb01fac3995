"""
Start the segmentation node, and RViz where it is asked for.

For example: `ros2 launch seg_ros segmentation.launch.py image:=/front/image_raw rviz:=true`
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch_ros.actions import LifecycleNode, Node
from seg_ros.share import fastdds_profile

CONFIG = Path(__file__).resolve().parents[1] / 'config'
SWITCH = ['', 'true', 'false']


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([
        DeclareLaunchArgument(
            'params_file', default_value=str(CONFIG / 'segmentation.yaml'),
            description='Parameters; whatever argument below is empty leaves them alone.',
        ),
        DeclareLaunchArgument('model', default_value='', description='The parameter model.'),
        DeclareLaunchArgument(
            'cameras', default_value='',
            description='The parameter cameras, names separated by commas.',
        ),
        DeclareLaunchArgument(
            'image', default_value='',
            description='Topics of the images, separated by commas, one for each of cameras '
                        '(of which there is one, camera, if none is named).',
        ),
        DeclareLaunchArgument(
            'autostart', default_value='', choices=SWITCH,
            description='The parameter autostart: configure and activate at once.',
        ),
        DeclareLaunchArgument(
            'use_sim_time', default_value='', choices=SWITCH,
            description='The parameter use_sim_time: time comes from /clock.',
        ),
        DeclareLaunchArgument('name', default_value='segmentation', description='Node name.'),
        DeclareLaunchArgument('namespace', default_value='', description='Node namespace.'),
        DeclareLaunchArgument(
            'log_level', default_value='info', description='debug, info, warn, error or fatal.'
        ),
        DeclareLaunchArgument(
            'rviz', default_value='false', choices=['true', 'false'],
            description='Show the images and masks of the first camera.',
        ),
        OpaqueFunction(function=nodes),
    ])


def nodes(context: LaunchContext) -> list[Node]:
    """
    Return the node, and RViz where it is asked for.

    :raises ValueError: if `image` and `cameras` differ in number.
    :raises FileNotFoundError: if there is no `params_file`; launch would go on without it.
    """
    given = context.launch_configurations
    images = _names(given['image'])
    cameras = _names(given['cameras']) or ['camera'][:len(images)]
    if images and len(images) != len(cameras):
        raise ValueError(f'image names {len(images)} topics, cameras {len(cameras)} cameras')
    params_file = Path(given['params_file']).expanduser()
    if not params_file.is_file():
        raise FileNotFoundError(f'no params_file at {params_file}')
    overrides = {
        **{key: given[key] == 'true' for key in ('autostart', 'use_sim_time') if given[key]},
        **({'model': given['model']} if given['model'] else {}),
        **({'cameras': cameras} if cameras else {}),
    }
    segmentation = LifecycleNode(
        package='seg_ros',
        executable='segmentation_node',
        name=given['name'],
        namespace=given['namespace'],
        parameters=[str(params_file), *([overrides] if overrides else [])],
        remappings=[
            (f'{camera}/image_raw', image)
            for camera, image in zip(cameras, images, strict=False)
        ],
        ros_arguments=['--log-level', given['log_level']],
        additional_env=fastdds_profile(context.environment),
        output='screen',
        emulate_tty=True,
    )
    if given['rviz'] == 'false':
        return [segmentation]
    camera, image = (cameras or ['camera'])[0], images[0] if images else ''
    return [segmentation, _rviz(given, camera, image or f'{camera}/image_raw')]


def _names(words: str) -> list[str]:
    return [word.strip() for word in words.split(',') if word.strip()]


def _rviz(given: Mapping[str, str], camera: str, image: str) -> Node:
    """Return RViz with the configuration's topics mapped to those of this node."""
    sim_time: dict[str, Any] = {'use_sim_time': given['use_sim_time'] == 'true'}
    outputs = [
        (f'/segmentation/camera/{topic}', f'{given["name"]}/{camera}/{topic}')
        for topic in ('overlay', 'color')
    ]
    return Node(
        package='rviz2',
        executable='rviz2',
        namespace=given['namespace'],
        arguments=['-d', str(CONFIG / 'segmentation.rviz')],
        parameters=[sim_time],
        remappings=[*outputs, ('/camera/image_raw', image)],
    )
