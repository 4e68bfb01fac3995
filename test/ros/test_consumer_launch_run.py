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

"""What the launch files for consumers pass to the camera's driver and to the consumers."""

import json
import signal
from time import monotonic, sleep

from launching import launched
import pytest
import yaml

pytest.importorskip('launch_ros', reason='launch_ros is not installed')
pytestmark = [pytest.mark.ros, pytest.mark.slow]

PATIENCE_S = 60.0
# Stands in for each executable: it writes its arguments to a file, and waits.
EXECUTABLE = """#!/usr/bin/env python3
import json, os, pathlib, signal, sys, time
arguments = sys.argv[1:]
files = [value for name, value in zip(arguments, arguments[1:]) if name == '--params-file']
facts = {
    'arguments': arguments, 'files': [pathlib.Path(name).read_text() for name in files],
    'profiles': [name for name in os.environ if name.endswith('_DEFAULT_PROFILES_FILE')],
}
here = pathlib.Path(sys.argv[0])
whole = here.with_suffix('.part')
whole.write_text(json.dumps(facts))
whole.rename(here.with_suffix('.json'))
signal.signal(signal.SIGINT, lambda *_: sys.exit())
time.sleep(120)
"""
# The arguments that Nav2's own launch file declares and passes on, as far as needed here.
NAVIGATION = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

def generate_launch_description():
    defaults = {'namespace': '', 'use_sim_time': 'false', 'autostart': 'true', 'log_level': 'info'}
    names = (*defaults, 'params_file')
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=value) for name, value in defaults.items()),
        DeclareLaunchArgument('params_file'),
        Node(
            package='nav2_controller', executable='controller_server',
            arguments=[word for name in names for word in (name, LaunchConfiguration(name))],
            parameters=[LaunchConfiguration('params_file')],
        ),
    ])
"""
STARTED = {
    'realsense2_camera': 'realsense2_camera_node', 'rtabmap_odom': 'rgbd_odometry',
    'rtabmap_slam': 'rtabmap', 'nav2_controller': 'controller_server', 'nav2_bringup': 'none',
    'seg_ros': 'segmentation_node',
}


class Started:
    """What an executable was started with."""

    def __init__(self, facts):
        self.arguments, self.profiles = facts['arguments'], facts['profiles']
        # launch writes YAML tags before lists, which rcl ignores.
        self.files = [text.replace('!!python/tuple', '') for text in facts['files']]
        pairs = zip(self.arguments, self.arguments[1:], strict=False)
        self.remappings = dict(value.split(':=') for name, value in pairs if name == '-r')
        self.namespace = self.remappings.get('__ns', '/')

    def full(self, topic):
        """Return the full name of a topic after remapping."""
        name = self.remappings[topic]
        return name if name.startswith('/') else f'{self.namespace.rstrip("/")}/{name}'

    def value(self, name):
        """Return a parameter; the last value if it is set twice."""
        nodes = [node for text in self.files for node in yaml.safe_load(text).values()]
        return [
            node['ros__parameters'][name] for node in nodes if name in node['ros__parameters']
        ][-1]


@pytest.fixture
def prefix(tmp_path):
    """Install stand-ins for the packages that the launch files start."""
    index = tmp_path / 'share' / 'ament_index' / 'resource_index' / 'packages'
    index.mkdir(parents=True)
    for package, executable in STARTED.items():
        (index / package).touch()
        path = tmp_path / 'lib' / package / executable
        path.parent.mkdir(parents=True)
        path.write_text(EXECUTABLE)
        path.chmod(0o755)
    bringup = tmp_path / 'share' / 'nav2_bringup'
    for folder, name, text in (
        ('launch', 'navigation_launch.py', NAVIGATION),
        ('params', 'nav2_params.yaml', 'controller_server: {ros__parameters: {own: 1}}'),
    ):
        (bringup / folder).mkdir(parents=True)
        (bringup / folder / name).write_text(text)
    return tmp_path


@pytest.fixture
def started(prefix):
    """Launch a file and return the started processes by executable, once all have started."""
    def launch(file, count, *arguments):
        process = launched(file, *arguments, AMENT_PREFIX_PATH=str(prefix))
        deadline = monotonic() + PATIENCE_S
        while len(found := list(prefix.glob('lib/*/*.json'))) < count:
            if process.poll() is not None or monotonic() > deadline:
                process.kill()
                raise AssertionError(process.communicate()[0])
            sleep(0.1)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, output
        return {path.stem: Started(json.loads(path.read_text())) for path in found}

    return launch


def test_rtabmap_reads_what_the_node_publishes(started):
    nodes = started('slam.launch.py', 4)
    for name in ('rtabmap', 'rgbd_odometry'):
        assert nodes[name].full('rgb/image') == '/camera/camera/color/image_raw'
        assert nodes[name].full('depth/image') == '/segmentation/camera/static/depth'
        assert nodes[name].full('rgb/camera_info') == '/segmentation/camera/static/camera_info'
        assert nodes[name].value('use_sim_time') is False
        assert nodes[name].value('frame_id') == 'camera_link'
    eyes = nodes['segmentation_node']
    assert eyes.full('camera/image_raw') == '/camera/camera/color/image_raw'
    assert eyes.full('camera/depth_registered/image_rect') == (
        '/camera/camera/aligned_depth_to_color/image_raw'
    )
    assert eyes.value('static_dilate_px') == 8


@pytest.mark.parametrize('file', ['slam.launch.py', 'nav2.launch.py'])
def test_a_robot_in_a_namespace_has_everything_in_it(started, file):
    arguments = ('namespace:=robot1', 'name:=eyes', 'cameras:=front', 'use_sim_time:=True')
    nodes = started(file, 4 if file.startswith('slam') else 3, *arguments)
    assert nodes['realsense2_camera_node'].namespace == '/robot1/camera'
    assert nodes['segmentation_node'].full('front/image_raw') == (
        '/robot1/camera/camera/color/image_raw'
    )
    assert nodes['segmentation_node'].value('use_sim_time') is True
    for node in nodes.values():
        assert node.full('/tf') == '/robot1/tf'
        assert node.full('/tf_static') == '/robot1/tf_static'
        assert node.namespace.split('/')[1] == 'robot1'
    if file.startswith('slam'):
        assert nodes['rtabmap'].full('depth/image') == '/robot1/eyes/front/static/depth'
        assert nodes['rtabmap'].value('use_sim_time') is True
    else:
        assert '/robot1/eyes/front/nav2/mask' in nodes['controller_server'].files[0]
        assert nodes['controller_server'].arguments[:4] == [
            'namespace', '/robot1', 'use_sim_time', 'True',
        ]


def test_nav2_gets_its_own_parameters_with_the_layers_and_words_that_it_understands(started):
    nav2 = started('nav2.launch.py', 3)['controller_server']
    assert nav2.arguments[:8] == [
        'namespace', '', 'use_sim_time', 'false', 'autostart', 'true', 'log_level', 'info',
    ]
    values = yaml.safe_load(nav2.files[0])
    assert values['controller_server']['ros__parameters'] == {'own': 1}
    layer = values['local_costmap']['local_costmap']['ros__parameters']['semantic_layer']
    assert layer['camera']['labels_topic'] == '/segmentation/camera/nav2/label_info'


@pytest.mark.parametrize('file', ['slam.launch.py', 'nav2.launch.py', 'grasp.launch.py'])
def test_the_params_file_is_the_nodes(started, tmp_path, file):
    mine = tmp_path / 'mine.yaml'
    mine.write_text('/**: {ros__parameters: {max_depth_m: 3.5}}')
    nodes = started(file, {'slam': 4, 'nav2': 3, 'grasp': 2}[file.split('.')[0]],
                    f'params_file:={mine}')
    assert nodes['segmentation_node'].value('max_depth_m') == 3.5


def test_the_driver_gets_room_for_its_images_unless_another_camera_serves(started):
    driver = started('rgbd.launch.py', 2)['realsense2_camera_node']
    assert driver.value('align_depth.enable') is True
    assert driver.profiles


def test_without_a_driver_another_camera_serves(started, prefix):
    (prefix / 'lib' / 'realsense2_camera' / STARTED['realsense2_camera']).unlink()
    nodes = started('rgbd.launch.py', 1, 'driver:=false', 'image:=/rgb', 'depth:=/depth')
    assert nodes['segmentation_node'].full('camera/image_raw') == '/rgb'


@pytest.mark.parametrize(('file', 'missing', 'arguments'), [
    ('segmentation.launch.py', 'rviz2', ['rviz:=true']),
    ('rgbd.launch.py', 'rviz2', ['rviz:=true']),
    ('rgbd.launch.py', 'realsense2_camera', []),
    ('slam.launch.py', 'rtabmap_slam', []),
    ('nav2.launch.py', 'nav2_bringup', []),
])
def test_where_a_package_is_missing_nothing_is_left_running(prefix, file, missing, arguments):
    index = prefix / 'share' / 'ament_index' / 'resource_index' / 'packages'
    (index / missing).unlink(missing_ok=True)
    process = launched(file, *arguments, AMENT_PREFIX_PATH=str(prefix))
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode != 0
    assert f"'{missing}' not found" in output
    sleep(2.0)      # anything started would have written its file by now
    assert not list(prefix.glob('lib/*/*.json'))
