"""Bad input: one clear message, a counter, and the next good frame is served."""

from array import array

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
def test_a_bad_image_is_counted_told_and_survived(robot, capfd, spoil):
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    bad = each.image()
    spoil(bad)
    each.send(bad)
    counts = each.node._stream.cameras['camera'].timing.counts
    each.wait(lambda: counts().get('bad') == 1, 'the counter')
    each.send(each.image())
    each.wait(lambda: semantic, 'the next good mask')
    assert 'camera: frame dropped: ' in capfd.readouterr().err
    each.wait(lambda: each.diagnostics.get('camera', {}).get('dropped_bad') == '1', 'diagnostics')


def test_a_flood_of_bad_images_gives_one_message(robot, capfd):
    each = robot()
    each.listen('/segmentation/camera/semantic', Image)
    bad = each.image()
    bad.encoding = 'x-unheard-of'
    each.send(bad)
    counts = each.node._stream.cameras['camera'].timing.counts
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
    counts = each.node._stream.cameras['camera'].timing.counts
    each.wait(lambda: counts().get('bad') == 1, 'the counter')
    assert each.state() == 'active'


@pytest.mark.parametrize('stamp_ns', [0, 10**18, 2 * 10**18])
def test_stamps_of_a_foreign_clock_are_kept_and_told_once(robot, capfd, stamp_ns):
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    for count in (1, 2):
        each.send(each.image(stamp_ns=stamp_ns + count * 10**6))
        each.wait(lambda count=count: len(semantic) == count, f'mask {count}')
    stamp = semantic[0].header.stamp
    assert stamp.sec * 10**9 + stamp.nanosec == stamp_ns + 10**6
    assert capfd.readouterr().err.count('another clock') == 1
    age = each.wait(lambda: each.diagnostics.get('camera', {}).get('age_ms_max'), 'the age')
    assert 0 <= float(age) < 10_000


def test_a_late_result_is_dropped_and_a_restarted_clock_is_followed(robot):
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    start = 50 * 10**9
    each.send(each.image(stamp_ns=start))
    each.wait(lambda: len(semantic) == 1, 'the first mask')
    each.send(each.image(stamp_ns=start - 10**8))
    counts = each.node._stream.cameras['camera'].timing.counts
    each.wait(lambda: counts().get('late') == 1, 'the late frame to be dropped')
    each.send(each.image(stamp_ns=start - 20 * 10**9))
    each.wait(lambda: len(semantic) == 2, 'the mask of the new run')


def test_frames_over_their_age_are_dropped_before_the_network(robot):
    each = robot(max_age_ms=200.0)
    semantic = each.listen('/segmentation/camera/semantic', Image)
    now_ns = each.tester.get_clock().now().nanoseconds
    each.send(each.image(stamp_ns=now_ns - 3 * 10**9))
    counts = each.node._stream.cameras['camera'].timing.counts
    each.wait(lambda: counts().get('age') == 1, 'the old frame to be dropped')
    each.send(each.image(channel_image()))
    each.wait(lambda: semantic, 'the fresh mask')


def test_a_failing_engine_is_told_and_the_node_goes_on(robot, capfd, monkeypatch):
    from seg_ros.core.errors import EngineError
    from seg_ros.pipeline.segmenter import Segmenter

    real = Segmenter.segment_batch
    fails = [True]

    def segment_batch(self, frames, parts):
        if fails:
            fails.pop()
            raise EngineError('the network failed as planted')
        return real(self, frames, parts)

    monkeypatch.setattr(Segmenter, 'segment_batch', segment_batch)
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    each.send(each.image())
    counts = lambda: each.node._stream.cameras['camera'].timing.counts()  # noqa: E731
    each.wait(lambda: counts().get('failed') == 1, 'the counter')
    each.send(each.image())
    each.wait(lambda: semantic, 'the next mask')
    assert 'the network failed as planted' in capfd.readouterr().err
