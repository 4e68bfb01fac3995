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

"""Depth in the running node: synchronisation, and the reports if depth is missing."""

from itertools import count
import sys
from time import sleep

from depth_rig import DEPTH, depth_message, MS, Rig, START_NS
from diagnostic_msgs.msg import DiagnosticStatus
import pytest
from robot import pixels, SIZE_HW
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2


def test_a_cloud_comes_with_the_stamp_of_its_image(robot):
    rig = Rig(robot, ('points', PointCloud2))
    stamp_ns = rig.send()
    (cloud,) = rig.each.wait(lambda: rig.found['points'], 'a cloud')
    stamp = cloud.header.stamp
    assert stamp.sec * 1000 * MS + stamp.nanosec == stamp_ns
    assert (cloud.height, cloud.width) == SIZE_HW


def test_masks_do_not_wait_for_depth_and_what_is_missing_is_said(robot, capfd):
    rig = Rig(robot, ('points', PointCloud2), ('semantic', Image))
    rig.each.send(rig.each.image(stamp_ns=START_NS))
    rig.each.wait(lambda: rig.found['semantic'], 'a mask without depth')
    words = f'no depth arrives: nobody publishes {DEPTH}'
    rig.words(words)
    assert not rig.found['points']
    rig.each.wait(lambda: f'camera: {words}' in capfd.readouterr().err, 'a line in the log')


def test_depth_of_a_publisher_without_reliable_delivery_is_reported(robot):
    rig = Rig(robot, ('points', PointCloud2), input_reliability='reliable')
    rig.each.publisher(DEPTH, Image)
    stamps_ns = count(START_NS, 100 * MS)
    rig.words(
        f'no depth arrives: {DEPTH} has a publisher without reliable delivery',
        lambda: rig.each.send(rig.each.image(stamp_ns=next(stamps_ns)), reliable=True),
    )


def test_depth_that_lags_is_reported_with_its_offset(robot):
    rig = Rig(robot, ('points', PointCloud2))
    offsets_ms = count(step=400)

    def lag():
        rig.send(next(offsets_ms), depth_ms=-83)
        sleep(0.1)

    rig.words('no depth within 50 ms of the image: offset -83 ms', lag)
    assert not rig.found['points']
    rig.each.set_parameter('depth_tolerance_ms', 90.0)
    rig.each.wait(lambda: lag() or rig.found['points'], 'a cloud within the new tolerance')


def test_stamps_of_another_clock_are_not_taken_for_depth_that_lags(robot):
    rig = Rig(robot, ('points', PointCloud2))
    offsets_ms = count(step=400)
    rig.words(
        'offset -900 s: their clocks differ, or one has no stamps',
        lambda: rig.send(next(offsets_ms), depth_ms=-900_000) and sleep(0.1),
    )


def test_depth_that_was_refused_and_ends_is_reported_as_ended(robot):
    rig = Rig(robot, ('points', PointCloud2))
    rig.send(frame_id='ir')
    rig.words("depth in the frame 'ir'")
    offsets_ms = count(400, step=400)
    rig.words(
        'publishes /camera/depth_registered/image_rect, but the last depth image came',
        lambda: rig.each.send(rig.each.image(stamp_ns=START_NS + next(offsets_ms) * MS)),
    )


@pytest.mark.parametrize(('topic', 'depth', 'words'), [
    (('points', PointCloud2), {'metres': 30.0},
     'no depth within max_depth_m (10 m): the nearest is 30.0 m'),
    (('scan', LaserScan), {}, 'no scan, as no ground is found: no class of channels has the role'),
])
def test_outputs_that_stay_empty_are_reported_and_no_longer_once_nobody_reads_them(
    robot, topic, depth, words
):
    rig = Rig(robot, topic, ('semantic', Image))
    offsets_ms = count(step=200)

    def go_on():
        rig.send(next(offsets_ms), **depth)
        sleep(0.1)

    rig.words(words, go_on)
    rig.each.leave(next(
        item for item in rig.each.tester.subscriptions if item.topic.endswith(topic[0])
    ))
    rig.each.wait(
        lambda: rig.each.send(rig.each.image()) or rig.each.words.get('camera') == 'active',
        'the end of the complaint',
    )


@pytest.mark.parametrize(('depth', 'words'), [
    ({'frame_id': 'ir'}, "depth in the frame 'ir' for an image in 'optical'"),
    ({'size': (48, 96)}, 'depth of 96 x 48 for an image of 64 x 48'),
    ({'metres': 0.0}, 'without any depth'),
    ({'metres': float('nan'), 'encoding': '32FC1'}, 'without any depth'),
    ({'metres': 1500.0, 'encoding': '32FC1'}, 'millimetres'),
    ({'metres': 0.002}, 'these look like metres'),
])
def test_depth_that_cannot_be_used_is_reported_and_the_masks_go_on(robot, depth, words):
    rig = Rig(robot, ('points', PointCloud2), ('semantic', Image))
    rig.send(**depth)
    rig.words(words)
    rig.each.wait(lambda: rig.found['semantic'], 'masks all the same')
    rig.send(200)
    rig.each.wait(lambda: rig.found['points'], 'a cloud once depth is good')


def test_without_camera_info_the_cause_is_reported(robot, monkeypatch):
    monkeypatch.setattr('seg_ros.ros.subscription.STARTING_S', 0.0)
    each = robot()
    each.listen('/segmentation/camera/points', PointCloud2)
    stamps_ns = count(START_NS, 100 * MS)

    def said():
        stamp_ns = next(stamps_ns)
        each.send(depth_message(each, stamp_ns), DEPTH)
        each.send(each.image(stamp_ns=stamp_ns))
        sleep(0.1)
        words = 'no 3D points: nobody publishes /camera/camera_info'
        return words in each.words.get('camera', '')

    each.wait(said, 'the words')
    assert 'nobody publishes' in each.diagnostics['camera']['camera_info_problem']


def test_an_uncalibrated_camera_is_reported(robot):
    each = robot()
    clouds = each.listen('/segmentation/camera/points', PointCloud2)
    info = CameraInfo(header=each.image(stamp_ns=START_NS).header, height=48, width=64)
    each.send(info, '/camera/camera_info')
    each.wait(lambda: each.node._pipeline.cameras['camera']._info is not None, 'camera_info')
    each.send(depth_message(each, START_NS), DEPTH)
    each.send(each.image(stamp_ns=START_NS))
    each.wait(lambda: 'calibrate the camera' in each.words.get('camera', ''), 'the words')
    assert not clouds


@pytest.mark.parametrize(('rectified', 'warnings'), [(False, 1), (True, 0)])
def test_points_of_a_lens_that_distorts_are_warned_of(robot, capfd, rectified, warnings):
    each = robot(rectified=rectified)
    clouds = each.listen('/segmentation/camera/points', PointCloud2)
    info = each.info(each.image(stamp_ns=START_NS))
    info.distortion_model, info.d = 'equidistant', [0.1, 0.0, 0.0, 0.0]
    each.send(info, '/camera/camera_info')
    each.wait(lambda: each.node._pipeline.cameras['camera']._info is not None, 'camera_info')
    each.send(depth_message(each, START_NS), DEPTH)
    each.send(each.image(stamp_ns=START_NS))
    each.wait(lambda: clouds, 'a cloud')
    assert capfd.readouterr().err.count('not rectified (equidistant distortion)') == warnings


def test_points_of_an_image_without_a_frame_are_in_that_of_its_camera_info(robot):
    each = robot()
    clouds = each.listen('/segmentation/camera/points', PointCloud2)
    image = each.image(stamp_ns=START_NS)
    each.send(each.info(image), '/camera/camera_info')
    each.wait(lambda: each.node._pipeline.cameras['camera']._info is not None, 'camera_info')
    named, image.header.frame_id = image.header.frame_id, ''
    each.send(depth_message(each, START_NS), DEPTH)
    each.send(image)
    each.wait(lambda: clouds, 'a cloud')
    assert named
    assert clouds[0].header.frame_id == named


@pytest.mark.parametrize(('ground', 'remedy'), [
    ('fit', 'set ground to tf, or camera_height_m'), ('tf', 'or set camera_height_m'),
])
def test_where_no_ground_is_found_the_remedy_is_one_that_is_not_in_use(
    robot, capfd, ground, remedy
):
    rig = Rig(robot, ('scan', LaserScan), ground=ground)
    offsets_ms, log = count(step=100), []

    def said():
        rig.send(next(offsets_ms))
        sleep(0.1)
        log.append(capfd.readouterr().err)
        cause = 'no class of channels has the role traversable: give it to floors in the card'
        return f'no ground is found: {cause}; {remedy}' in ''.join(log)

    rig.each.wait(said, 'the remedy')


def test_a_scan_whose_frame_nobody_broadcasts_is_warned_of(robot, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tf2_ros', None)
    rig = Rig(robot, ('scan', LaserScan), camera_height_m=0.5)
    rig.send()
    rig.each.wait(lambda: rig.found['scan'], 'a scan')
    assert 'nobody broadcasts the frame of scan' in capfd.readouterr().err


def test_depth_is_not_subscribed_to_unless_somebody_reads_what_needs_it(robot):
    each = robot()
    each.listen('/segmentation/camera/semantic', Image)
    each.mask(each.listen('/segmentation/camera/confidence', Image))
    assert each.node.count_subscribers(DEPTH) == 0
    each.listen('/segmentation/camera/static/depth', Image)
    each.wait(lambda: each.node.count_subscribers(DEPTH), 'the subscription')
    each.set_parameter('depth', 'off')
    each.wait(lambda: not each.node.count_subscribers(DEPTH), 'the end of it')


def test_what_is_read_in_vain_while_depth_is_off_is_said(robot):
    rig = Rig(robot, ('points', PointCloud2), depth='off')
    stamps_ns = count(START_NS, 100 * MS)
    rig.words('the parameter depth is off', lambda: rig.each.send(
        rig.each.image(stamp_ns=next(stamps_ns))
    ))
    rig.each.set_parameter('depth', 'auto')
    rig.send((next(stamps_ns) - START_NS) // MS)
    rig.each.wait(lambda: rig.found['points'], 'a cloud')


def test_the_static_mask_needs_no_depth(robot):
    each = robot(depth='off')
    masks = each.listen('/segmentation/camera/static/mask', Image)
    assert (each.mask(masks) == 255).all()


def test_where_the_card_has_nothing_dynamic_that_is_said_to_who_reads_what_is_static(robot, capfd):
    each = robot(depth='off')
    masks = each.listen('/segmentation/camera/static/mask', Image)
    words = 'no class of channels has the role dynamic: static/* leaves nothing out'
    each.wait(lambda: each.mask(masks).any() and words in each.words.get('camera', ''), 'words')
    assert each.levels['camera'] == DiagnosticStatus.WARN
    assert f'camera: {words}' in capfd.readouterr().err
    each.leave(next(
        item for item in each.tester.subscriptions if item.topic_name.endswith('static/mask')
    ))
    masks = each.listen('/segmentation/camera/semantic', Image)
    each.wait(
        lambda: each.mask(masks).any() and each.words['camera'] == 'active', 'no complaint'
    )


def test_a_target_that_vanished_is_an_empty_mask_with_a_word(robot, capfd):
    rig = Rig(robot, ('target/mask', Image), target='nearest')
    rig.send()
    mask = rig.each.wait(lambda: rig.found['target/mask'], 'a mask')[0]
    assert not pixels(mask).any()
    assert "the target 'nearest' is not in sight" in capfd.readouterr().err


def test_what_was_dynamic_is_held_without_depth_however_often_readers_are_looked_at(
    robot, monkeypatch
):
    each = robot(depth='off')
    each.wait(lambda: each.state() == 'active', 'autostart')
    camera, forgotten = each.node._pipeline.cameras['camera'], []
    monkeypatch.setattr(camera.dynamic._scene, 'reset', lambda: forgotten.append(True))
    camera.subscribe()
    assert not forgotten
