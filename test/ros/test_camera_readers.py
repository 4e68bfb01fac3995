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

"""Subscribers that get nothing, and the reported cause."""

from collections.abc import Iterator
from itertools import count

from diagnostic_msgs.msg import DiagnosticStatus
import pytest
import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

SEMANTIC = '/segmentation/camera/semantic'
INFO = '/segmentation/camera/camera_info'
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = f'qos_overrides.{SEMANTIC}.publisher.reliability'


@pytest.fixture
def stranger() -> Iterator[Node]:
    """Return a node of another participant: a participant has only one type per topic."""
    context = rclpy.Context()
    rclpy.init(context=context)
    each = rclpy.create_node('stranger', context=context)
    yield each
    each.destroy_node()
    rclpy.shutdown(context=context)


@pytest.mark.parametrize(('kind', 'qos', 'parameters', 'words'), [
    (Image, LATCHED, {}, 'it asks for durability transient_local, offered is volatile'),
    (CompressedImage, 1, {}, 'published is sensor_msgs/msg/Image'),
    (Image, 1, {BEST_EFFORT: 'best_effort'}, 'it asks for reliable delivery, offered is best'),
])
def test_a_reader_that_asks_for_what_is_not_offered_is_named(
    robot, stranger, capfd, kind, qos, parameters, words
):
    each = robot(**parameters)
    stranger.create_subscription(kind, SEMANTIC, print, qos)
    each.wait(lambda: words in each.words.get('camera', ''), 'the cause')
    assert f'/stranger gets nothing from {SEMANTIC}' in each.words['camera']
    assert each.levels['camera'] == DiagnosticStatus.WARN
    line = f'camera: /stranger gets nothing from {SEMANTIC}'
    each.wait(lambda: line in capfd.readouterr().err, 'a line in the log')


def test_a_reader_that_gets_nothing_is_named_beside_one_that_gets_masks(robot):
    each = robot()
    semantic = each.listen(SEMANTIC, Image)
    each.listen('/segmentation/camera/overlay', Image, LATCHED)
    send_until(each, lambda: 'gets nothing' in each.words.get('camera', ''))
    assert semantic


@pytest.mark.parametrize(('frame_id', 'words'), [
    ('', 'nobody publishes /camera/camera_info'), ('lens', "camera_info has the frame_id 'lens'"),
])
def test_why_camera_info_is_read_in_vain_is_said(robot, frame_id, words):
    each = robot()
    semantic, infos = each.listen(SEMANTIC, Image), each.listen(INFO, CameraInfo)
    send_until(each, lambda: words in each.words.get('camera', ''), frame_id)
    assert each.levels['camera'] == DiagnosticStatus.WARN
    assert semantic
    assert not infos


def send_until(each, condition, info_frame_id=''):
    """Send images, and camera_info if a frame is named, until a condition holds."""
    publisher = each.publisher('/camera/image_raw', Image)

    def sent():
        image = each.image()
        if info_frame_id:
            info = each.info(image)
            info.header = Header(stamp=info.header.stamp, frame_id=info_frame_id)
            each.publisher('/camera/camera_info', CameraInfo).publish(info)
        publisher.publish(image)
        return condition()

    each.wait(sent, 'the words')


def test_a_camera_info_of_another_frame_in_each_image_is_one_line_in_the_log(robot, capfd):
    each = robot()
    semantic, reports, numbers = each.listen(SEMANTIC, Image), set(), count()
    each.listen(INFO, CameraInfo)

    def several_are_reported():
        image = each.image()
        info = each.info(image)
        info.header = Header(stamp=info.header.stamp, frame_id=f'lens_{next(numbers)}')
        each.send(info, '/camera/camera_info')
        before = len(semantic)
        each.send(image)
        each.wait(lambda: len(semantic) > before, 'a mask')
        reports.add(each.words.get('camera', ''))
        return len({words for words in reports if 'no camera_info' in words}) > 2

    each.wait(several_are_reported, 'reports of several frames')
    rows = capfd.readouterr().err.splitlines()
    assert sum('no camera_info' in row for row in rows) == 1
