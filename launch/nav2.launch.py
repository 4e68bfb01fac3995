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
