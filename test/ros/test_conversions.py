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

"""Messages are converted to frames, and masks to messages, byte for byte."""

from array import array
import os
import subprocess
import sys
import textwrap
from types import ModuleType, SimpleNamespace

from builtin_interfaces.msg import Time
import cv2
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from seg_ros.core.errors import ImageError
from seg_ros.image.encodings import ENCODINGS
from seg_ros.image.file_writing import encode_jpeg, encode_png
from seg_ros.ros.conversions import (
    compressed_message,
    frame_from_compressed,
    frame_from_image,
    image_message,
    stamp_ns,
)
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

# rclpy's type supports import lark on first use, and old releases of lark import sre_parse.
pytestmark = pytest.mark.filterwarnings(r'ignore:module .sre_\w+. is deprecated')

STAMP = Time(sec=1_700_000_000, nanosec=123_456_789)


def header():
    return Header(stamp=STAMP, frame_id='optical')


def pixels(size_hw=(6, 8), channels=3, kind=np.uint8):
    seed = np.random.default_rng([*size_hw, channels])
    shape = (*size_hw, channels) if channels > 1 else size_hw
    return seed.integers(0, np.iinfo(kind).max, shape, kind, endpoint=True)


def image(samples, encoding, padding=0):
    """Fill an Image by hand, with `padding` bytes behind each row."""
    rows = samples.reshape(samples.shape[0], -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xA5)
    return Image(
        header=header(), height=samples.shape[0], width=samples.shape[1], encoding=encoding,
        step=padded.shape[1], data=array('B', padded.tobytes()),
    )


def test_a_stamp_is_counted_in_nanoseconds():
    assert stamp_ns(STAMP) == 1_700_000_000_123_456_789


@pytest.mark.parametrize(
    ('encoding', 'channels'), [('rgb8', 3), ('bgr8', 3), ('mono8', 1), ('8UC1', 1), ('8UC3', 3)]
)
def test_an_image_is_read_where_it_lies(encoding, channels):
    message = image(pixels(channels=channels), encoding, padding=5)
    frame = frame_from_image(message)
    np.testing.assert_array_equal(frame.pixels, pixels(channels=channels))
    assert np.shares_memory(frame.pixels, np.frombuffer(message.data, np.uint8))
    assert (frame.stamp_ns, frame.frame_id) == (stamp_ns(STAMP), 'optical')


def test_big_endian_samples_are_swapped():
    message = image(pixels(channels=1, kind=np.uint16).astype('>u2'), 'mono16')
    message.is_bigendian = True
    expected = (pixels(channels=1, kind=np.uint16).astype(np.uint32) + 128) // 257
    np.testing.assert_array_equal(frame_from_image(message).pixels, expected)


@pytest.mark.parametrize('as_data', [bytes, lambda data: np.frombuffer(data, np.uint8)])
def test_messages_of_other_libraries_are_read_too(as_data):
    message = image(pixels(), 'rgb8')
    fields = {name: getattr(message, name) for name in message.get_fields_and_field_types()}
    other = SimpleNamespace(**{**fields, 'data': as_data(message.data.tobytes())})
    frame = frame_from_image(other)
    np.testing.assert_array_equal(frame.pixels, pixels())
    assert np.shares_memory(frame.pixels, np.frombuffer(other.data, np.uint8))


def test_a_message_of_rosbags_is_read_where_it_lies():
    rosbags = pytest.importorskip('rosbags.typesys', reason='rosbags is not installed')
    store = rosbags.get_typestore(rosbags.Stores.ROS2_JAZZY)
    sent = serialize_message(image(pixels(), 'bgr8', padding=3))
    message = store.deserialize_cdr(sent, 'sensor_msgs/msg/Image')
    frame = frame_from_image(message)
    np.testing.assert_array_equal(frame.pixels, pixels())
    assert np.shares_memory(frame.pixels, message.data)
    assert (frame.stamp_ns, frame.frame_id) == (stamp_ns(STAMP), 'optical')


def test_an_image_shorter_than_it_says_is_refused():
    message = image(pixels(), 'rgb8')
    message.height += 1
    with pytest.raises(ImageError, match='8 x 7 with 144 bytes'):
        frame_from_image(message)


@pytest.mark.parametrize('encoding', ['rgb8', 'bgra8', 'mono16', 'bayer_gbrg8', 'yuv422', 'rgb16'])
def test_pixels_are_those_of_cv_bridge(encoding):
    bridge = pytest.importorskip('cv_bridge', reason='cv_bridge is the oracle, and not installed')
    kind = ENCODINGS[encoding]
    samples = pixels((16, 20), kind.samples, np.uint16 if kind.bits == 16 else np.uint8)
    message = image(samples, encoding)
    frame = frame_from_image(message)
    expected = bridge.CvBridge().imgmsg_to_cv2(
        message, {'rgb': 'rgb8', 'bgr': 'bgr8', 'gray': 'mono8'}[frame.color]
    )
    np.testing.assert_array_equal(frame.pixels, expected)


class BridgeError(Exception):
    pass


def bridge_that(reads):
    """Make a module that looks like cv_bridge."""
    module = ModuleType('cv_bridge')
    module.CvBridgeError = BridgeError
    module.CvBridge = lambda: SimpleNamespace(imgmsg_to_cv2=reads)
    return module


def test_an_encoding_that_nobody_here_knows_is_left_to_cv_bridge(monkeypatch):
    asked = []

    def read(message, encoding):
        asked.append((message.encoding, encoding))
        return pixels()

    monkeypatch.setitem(sys.modules, 'cv_bridge', bridge_that(read))
    frame = frame_from_image(image(pixels(), 'rgb_of_tomorrow'))
    assert asked == [('rgb_of_tomorrow', 'rgb8')]
    assert (frame.color, frame.stamp_ns, frame.frame_id) == ('rgb', stamp_ns(STAMP), 'optical')
    np.testing.assert_array_equal(frame.pixels, pixels())


@pytest.mark.parametrize(
    'error', [BridgeError, cv2.error, AttributeError, KeyError, TypeError, ValueError]
)
def test_an_encoding_that_cv_bridge_fails_on_is_refused(monkeypatch, error):
    def read(message, encoding):
        raise error('Unrecognized')

    monkeypatch.setitem(sys.modules, 'cv_bridge', bridge_that(read))
    with pytest.raises(ImageError, match='Unrecognized'):
        frame_from_image(image(pixels(), 'rgb_of_tomorrow'))


def test_without_cv_bridge_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, 'cv_bridge', None)
    with pytest.raises(ImageError, match='rgb_of_tomorrow') as caught:
        frame_from_image(image(pixels(), 'rgb_of_tomorrow'))
    assert 'rgb8' in caught.value.expected
    assert 'install cv_bridge' in caught.value.do


def test_depth_is_refused_without_asking_cv_bridge(monkeypatch):
    monkeypatch.setitem(sys.modules, 'cv_bridge', None)
    with pytest.raises(ImageError, match=r'depth.*mono16'):
        frame_from_image(image(pixels(channels=1, kind=np.uint16), '16UC1'))


@pytest.mark.parametrize('codec', ['png', 'bgr8; png compressed', 'rgb8; png compressed bgr8'])
def test_a_compressed_image_is_read(codec):
    message = compressed_message(encode_png(pixels()), codec, header())
    frame = frame_from_compressed(message)
    rgb = frame.pixels if frame.color == 'rgb' else frame.pixels[..., ::-1]
    np.testing.assert_array_equal(rgb, pixels())
    assert (frame.stamp_ns, frame.frame_id) == (stamp_ns(STAMP), 'optical')


@pytest.mark.parametrize('kind', ['h264', 'hevc;yuv420p;bgr8', 'H.265', 'libx264;bgr8'])
def test_video_is_refused_with_what_to_do(kind):
    message = CompressedImage(format=kind, data=bytes([0, 0, 0, 1, 0x67]))
    with pytest.raises(ImageError, match='decode it first'):
        frame_from_compressed(message)


def test_compressed_depth_is_refused():
    message = CompressedImage(format='16UC1; compressedDepth png', data=bytes(40))
    with pytest.raises(ImageError, match='compressedDepth'):
        frame_from_compressed(message)


MASKS = [
    ('mono8', np.uint8, 1), ('16UC1', np.uint16, 1), ('32SC1', np.int32, 1), ('rgb8', np.uint8, 3),
    ('32FC1', np.float32, 1),
]


@pytest.mark.parametrize(('encoding', 'kind', 'channels'), MASKS)
@pytest.mark.parametrize('size_hw', [(1, 1), (1, 9), (5, 1), (6, 8)])
def test_a_mask_is_written_in_packed_little_endian_rows(encoding, kind, channels, size_hw):
    whole = pixels((3 * size_hw[0], 2 * size_hw[1]), channels).astype(kind)
    swapped = whole.astype(np.dtype(kind).newbyteorder('>'))
    for mask in (whole[::3, ::2], whole[:size_hw[0], :size_hw[1]], swapped[::3, ::2]):
        message = image_message(mask, header(), encoding)
        row = size_hw[1] * channels * np.dtype(kind).itemsize
        assert (message.height, message.width, message.step) == (*size_hw, row)
        assert (message.encoding, message.is_bigendian) == (encoding, 0)
        assert message.header == header()
        values = np.frombuffer(message.data, np.dtype(kind).newbyteorder('<'))
        np.testing.assert_array_equal(values.reshape(mask.shape), mask)
        assert deserialize_message(serialize_message(message), Image) == message


def test_a_compressed_message_holds_the_file_as_it_is():
    file = encode_jpeg(pixels())
    message = compressed_message(file, 'jpeg', header())
    assert (message.format, message.data.tobytes(), message.header) == ('jpeg', file, header())
    assert deserialize_message(serialize_message(message), CompressedImage) == message


def test_messages_pass_the_field_checks_that_some_distributions_turn_on():
    code = """
        from builtin_interfaces.msg import Time
        import numpy as np
        from seg_ros.ros.camera_info import scaled_camera_info
        from seg_ros.ros.conversions import compressed_message, image_message
        from sensor_msgs.msg import CameraInfo
        from std_msgs.msg import Header
        import sensor_msgs.msg

        image = image_message(np.ones((4, 6), np.uint16), Header())
        assert image.data.tobytes() == bytes([1, 0]) * 24, image
        assert compressed_message(b'abc', 'png', Header()).data.tobytes() == b'abc'
        info = CameraInfo(height=4, width=6, d=[0.1] * 5, k=[1.0] * 9, p=[2.0] * 12)
        info.binning_x = info.roi.x_offset = 2
        scaled = scaled_camera_info(info, Time(sec=1), 2, rectified=True)
        assert (scaled.width, scaled.d.tolist()) == (2, [0.0] * 5), scaled
    """
    subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code)],
        check=True, env={**os.environ, 'ROS_PYTHON_CHECK_FIELDS': '1'},
    )
