"""
Start an RGB-D camera, the segmentation node, and RTAB-Map on its static depth.

RTAB-Map's odometry and map see depth 0 where something is dynamic, which both take for no depth.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

HERE = Path(__file__).resolve().parent
CONFIG = HERE.parent / 'config'
STATIC = '/segmentation/camera/static'


def generate_launch_description() -> LaunchDescription:
    remappings = [
        ('rgb/image', LaunchConfiguration('image')),
        ('rgb/camera_info', f'{STATIC}/camera_info'),
        ('depth/image', f'{STATIC}/depth'),
    ]
    return LaunchDescription([
        DeclareLaunchArgument(
            'image', default_value='/camera/camera/color/image_raw',
            description='Topic of the colour images.',
        ),
        DeclareLaunchArgument(
            'rtabmap_file', default_value=str(CONFIG / 'rtabmap.yaml'),
            description="RTAB-Map's parameters.",
        ),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(HERE / 'rgbd.launch.py')),
            launch_arguments=[('params_file', str(CONFIG / 'slam.yaml'))],
        ),
        *(
            Node(
                package=package, executable=executable, name=executable, output='screen',
                parameters=[LaunchConfiguration('rtabmap_file')], remappings=remappings,
            ) for package, executable in (
                ('rtabmap_odom', 'rgbd_odometry'), ('rtabmap_slam', 'rtabmap'),
            )
        ),
    ])
