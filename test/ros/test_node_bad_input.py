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

"""Bad input is logged once and counted, and the next good frame is segmented."""

from array import array
from time import sleep

import pytest
from robot import channel_image
from sensor_msgs.msg import CompressedImage, Image


def spoil_step(message):
    message.step -= 1


def spoil_length(message):
    message.data = message.data[:-10]


def spoil_size(message):
    message.height = 0
    message.data = array('B')


def spoil_encoding(message):
    message.encoding = 'x-unheard-of'


@pytest.mark.parametrize('spoil', [spoil_step, spoil_length, spoil_size, spoil_encoding])
def test_a_bad_image_is_counted_reported_and_survived(robot, capfd, spoil):
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    bad = each.image()
    spoil(bad)
    each.send(bad)
    counts = each.node._pipeline.cameras['camera'].health.timing.counts
    each.wait(lambda: counts().get('bad') == 1, 'the counter')
    each.send(each.image())
    each.wait(lambda: semantic, 'the next good mask')
    assert 'camera: frame dropped: the images cannot be read: ' in capfd.readouterr().err
    each.wait(lambda: each.diagnostics.get('camera', {}).get('dropped_bad') == '1', 'diagnostics')


def test_a_flood_of_bad_images_gives_one_message(robot, capfd):
    each = robot()
    each.listen('/segmentation/camera/semantic', Image)
    bad = each.image()
    bad.encoding = 'x-unheard-of'
    each.send(bad)
    counts = each.node._pipeline.cameras['camera'].health.timing.counts
    for count in range(1, 6):
        each.wait(lambda count=count: counts().get('bad') == count, f'bad frame {count}')
        each.send(bad)
    assert capfd.readouterr().err.count('frame dropped') == 1


def test_a_corrupt_jpeg_is_counted_and_survived(robot):
    each = robot(image_transport='compressed')
    each.listen('/segmentation/camera/semantic', Image)
    message = CompressedImage(header=each.image().header, format='jpeg')
    message.data.frombytes(b'\xff\xd8\xff this is no image')
    each.send(message, '/camera/image_raw/compressed')
    counts = each.node._pipeline.cameras['camera'].health.timing.counts
    each.wait(lambda: counts().get('bad') == 1, 'the counter')
    assert each.state() == 'active'


@pytest.mark.parametrize('behind_s', [-3600, 3600])
def test_stamps_of_a_foreign_clock_are_kept_and_reported_once(robot, capfd, behind_s):
    each = robot(max_age_ms=5000.0)
    semantic = each.listen('/segmentation/camera/semantic', Image)
    each.wait(lambda: each.state() == 'active', 'autostart')
    camera = each.node._pipeline.cameras['camera']

    def send_until(condition, what):
        def sent():
            now_ns = each.tester.get_clock().now().nanoseconds
            each.send(each.image(stamp_ns=now_ns - behind_s * 10**9))
            sleep(0.1)
            return condition()

        each.wait(sent, what)

    send_until(lambda: camera.clock.foreign, 'the clock to be learnt')
    before = len(semantic)
    send_until(lambda: len(semantic) >= before + 3, 'masks')
    assert capfd.readouterr().err.count('another clock') == 1
    each.wait(lambda: each.diagnostics['camera']['foreign_clock'] == f'{behind_s:.1f} s', 'it')


def test_one_old_image_from_a_camera_whose_clock_is_known_is_dropped(robot):
    each = robot(max_age_ms=5000.0)
    semantic = each.listen('/segmentation/camera/semantic', Image)
    each.mask(semantic)
    now_ns = each.tester.get_clock().now().nanoseconds
    each.send(each.image(stamp_ns=now_ns - 11 * 10**9))
    counts = each.node._pipeline.cameras['camera'].health.timing.counts
    each.wait(lambda: counts().get('age') == 1, 'the old frame to be dropped')
    assert len(semantic) == 1


def test_images_without_a_stamp_are_as_old_as_their_messages(robot):
    each = robot(max_age_ms=5000.0)
    semantic = each.listen('/segmentation/camera/semantic', Image)
    each.send(each.image(stamp_ns=0))
    each.wait(lambda: semantic, 'the mask')


def test_a_late_image_is_dropped_and_a_restarted_clock_is_followed(robot):
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    start = 50 * 10**9
    each.send(each.image(stamp_ns=start))
    each.wait(lambda: len(semantic) == 1, 'the first mask')
    each.send(each.image(stamp_ns=start - 10**8))
    counts = each.node._pipeline.cameras['camera'].health.timing.counts
    each.wait(lambda: counts().get('late') == 1, 'the late frame to be dropped')
    each.send(each.image(stamp_ns=start - 20 * 10**9))
    each.wait(lambda: len(semantic) == 2, 'the mask of the new run')


def test_frames_over_their_age_are_dropped_before_the_network(robot):
    each = robot(max_age_ms=2000.0)
    semantic = each.listen('/segmentation/camera/semantic', Image)
    now_ns = each.tester.get_clock().now().nanoseconds
    each.send(each.image(stamp_ns=now_ns - 3 * 10**9))
    counts = each.node._pipeline.cameras['camera'].health.timing.counts
    each.wait(lambda: counts().get('age') == 1, 'the old frame to be dropped')
    each.send(each.image(channel_image()))
    each.wait(lambda: semantic, 'the fresh mask')


def test_a_failing_engine_is_reported_and_the_node_goes_on(robot, capfd, monkeypatch):
    from seg_ros.core.errors import EngineError
    from seg_ros.pipeline import process

    real = process.run_engine
    fails = [True]

    def run_engine(*arguments):
        if fails:
            fails.pop()
            raise EngineError('the network failed as planted')
        return real(*arguments)

    monkeypatch.setattr(process, 'run_engine', run_engine)
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    each.send(each.image())
    counts = lambda: each.node._pipeline.cameras['camera'].health.timing.counts()  # noqa: E731
    each.wait(lambda: counts().get('failed') == 1, 'the counter')
    each.send(each.image())
    each.wait(lambda: semantic, 'the next mask')
    assert 'the network failed as planted' in capfd.readouterr().err
