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

"""From images to masks, over real topics."""

from threading import Event

import cv2
from diagnostic_msgs.msg import DiagnosticStatus
import numpy as np
import pytest
from robot import channel_classes, channel_image, PATIENCE_S, pixels
from seg_ros.masks.overlay import draw_overlay
from seg_ros.ros import publishers
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

MASKS = {
    'semantic': 'mono8', 'confidence': 'mono8', 'instance': '16UC1', 'panoptic': '32SC1',
    'color': 'rgb8', 'overlay': 'rgb8',
}


def test_every_mask_has_the_images_stamp_frame_size_and_rows(robot):
    each = robot()
    topics = {name: each.listen(f'/segmentation/camera/{name}', Image) for name in MASKS}
    image = channel_image((90, 130))
    message = each.image(image)
    each.wait(
        lambda: (
            each.node._pipeline
            and len(each.node._pipeline.cameras['camera'].publishers.wanted()) == 6
        ),
        'six readers',
    )
    each.send(message)
    for name, encoding in MASKS.items():
        received = each.wait(lambda name=name: topics[name], name)[0]
        assert received.header == message.header
        assert (received.height, received.width) == (90, 130)
        assert received.encoding == encoding
        assert pixels(received).shape[:2] == (90, 130)
    classes, panoptic = pixels(topics['semantic'][0]), pixels(topics['panoptic'][0])
    np.testing.assert_array_equal(classes, channel_classes(image))
    np.testing.assert_array_equal(panoptic >> 16, classes)
    np.testing.assert_array_equal(panoptic & 0xFFFF, pixels(topics['instance'][0]))
    confidence = pixels(topics['confidence'][0])
    assert np.median(confidence) == 255
    assert confidence.min() >= 255 // 3
    assert tuple(pixels(topics['color'][0])[0, 0]) == (200, 0, 0)


def test_nothing_is_made_that_nobody_reads(robot):
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    each.send(each.image())
    each.wait(lambda: semantic, 'a mask')
    wanted = each.node._pipeline.cameras['camera'].publishers.wanted()
    assert [each.output.topic for each in wanted] == ['semantic']


def test_a_camera_without_readers_is_not_subscribed_to(robot):
    each = robot()
    each.wait(lambda: each.state() == 'active', 'autostart')
    camera = each.node._pipeline.cameras['camera']
    assert each.tester.count_subscribers('/camera/image_raw') == 0
    subscription = each.tester.create_subscription(
        Image, '/segmentation/camera/semantic', lambda _: None, 10
    )
    each.wait(lambda: camera.subscribed, 'the node to listen')
    each.leave(subscription)
    each.wait(lambda: not camera.subscribed, 'the node to let go')


def test_camera_info_follows_with_the_masks_stamp(robot):
    each = robot()
    infos = each.listen('/segmentation/camera/camera_info', CameraInfo)
    message = each.image()
    each.send(each.info(message), '/camera/camera_info')
    each.wait(lambda: each.node._pipeline.cameras['camera']._info, 'camera_info')
    each.send(message)
    info = each.wait(lambda: infos, 'camera_info')[0]
    assert info.header == message.header
    assert list(info.k) == [50.0, 0.0, 32.0, 0.0, 50.0, 24.0, 0.0, 0.0, 1.0]


def test_masks_come_without_camera_info(robot):
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    infos = each.listen('/segmentation/camera/camera_info', CameraInfo)
    each.send(each.image())
    each.wait(lambda: semantic, 'a mask')
    assert not infos


def test_half_size_masks_are_every_second_pixel(robot):
    each = robot(output_scale=0.5)
    semantic = each.listen('/segmentation/camera/semantic', Image)
    image = channel_image((91, 131))
    each.send(each.image(image))
    mask = pixels(each.wait(lambda: semantic, 'a mask')[0])
    np.testing.assert_array_equal(mask, channel_classes(image)[::2, ::2])


def test_compressed_images_come_in_and_compressed_masks_go_out(robot):
    each = robot(image_transport='compressed')
    masks = each.listen('/segmentation/camera/semantic/compressed', CompressedImage)
    image = channel_image()
    ok, data = cv2.imencode('.png', image[..., ::-1])
    assert ok
    message = CompressedImage(header=each.image().header, format='rgb8; png compressed bgr8')
    message.data.frombytes(data.tobytes())
    each.send(message, '/camera/image_raw/compressed')
    received = each.wait(lambda: masks, 'a mask')[0]
    assert received.header == message.header
    assert received.format == 'png'
    mask = cv2.imdecode(np.frombuffer(received.data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask, channel_classes(image))


@pytest.mark.parametrize('reliable', [True, False])
def test_publishers_of_either_reliability_are_heard(robot, reliable):
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    each.publisher('/camera/image_raw', Image, reliable)
    each.send(each.image(), reliable=reliable)
    each.wait(lambda: semantic, 'a mask')


def test_two_cameras_are_served_on_their_own_topics(robot):
    each = robot(cameras=['left', 'right'], workers=2)
    masks = {name: each.listen(f'/segmentation/{name}/semantic', Image)
             for name in ('left', 'right')}
    for name, size_hw in (('left', (48, 64)), ('right', (60, 80))):
        each.send(each.image(channel_image(size_hw)), f'/{name}/image_raw')
    for name, height in (('left', 48), ('right', 60)):
        assert each.wait(lambda name=name: masks[name], name)[0].height == height


def test_a_change_of_size_in_mid_stream_is_followed(robot):
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    for count, size_hw in enumerate([(48, 64), (120, 40), (33, 77)], 1):
        image = channel_image(size_hw)
        each.send(each.image(image))
        each.wait(lambda count=count: len(semantic) == count, f'mask {count}')
        np.testing.assert_array_equal(pixels(semantic[-1]), channel_classes(image))


def test_masks_wait_for_no_overlay_that_hangs_which_is_reported_and_those_left_out_counted(
    robot, monkeypatch
):
    begun, gate = Event(), Event()

    def hang(*arguments):
        begun.set()
        gate.wait(PATIENCE_S)
        return draw_overlay(*arguments)

    def replaced():
        return int(each.diagnostics.get('camera', {}).get('deferred_dropped_newer', 0))

    monkeypatch.setattr(publishers, 'draw_overlay', hang)
    each = robot(watchdog_s=0.5)
    semantic = each.listen('/segmentation/camera/semantic', Image)
    overlay = each.listen('/segmentation/camera/overlay', Image)
    each.wait(lambda: (each.mask(semantic), begun.is_set())[1], 'the first overlay')
    for _ in range(3):
        each.mask(semantic)
    newest = semantic[-1].header
    each.wait(lambda: replaced() >= 2, 'the count')
    each.wait(lambda: 'overlay has not been made for' in each.words['engine'], 'the report')
    assert each.levels['engine'] == DiagnosticStatus.ERROR
    assert not overlay
    gate.set()
    each.wait(lambda: each.words['engine'] == 'active', 'all to be well again')
    each.wait(lambda: overlay and overlay[-1].header == newest, 'the newest overlay')
    assert len(overlay) == 2
