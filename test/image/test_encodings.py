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

"""The bytes of every encoding give the image that plain numpy says they hold."""

from array import array
from itertools import product
import struct
import zlib

import cv2
import numpy as np
import pytest
from seg_ros.core.errors import ImageError
from seg_ros.image.brightness_range import BrightnessRange
from seg_ros.image.encodings import ENCODINGS, frame_from_bytes, frame_from_file, REFUSED
from seg_ros.image.file_writing import encode_jpeg, encode_png

SIZES = ((1, 1), (2, 2), (3, 5), (4, 6), (17, 9), (48, 64))
EVEN_SIZES = tuple((height, width) for height, width in SIZES if not height % 2 + width % 2)
PADDINGS = (0, 1, 2, 3, 7, 64)
PATTERNS = ('rggb', 'bggr', 'gbrg', 'grbg')
VIEWS = {'rgb8': 'rgb', 'bgr8': 'bgr', 'mono8': 'gray', '8UC1': 'gray', '8UC3': 'bgr'}


def random_image(size_hw, channels=3, bits=8):
    seed = np.random.default_rng([*size_hw, channels, bits])
    kind = np.dtype(f'u{bits // 8}')
    shape = (*size_hw, channels) if channels > 1 else size_hw
    return seed.integers(0, 2**bits, shape, kind)


def data_from_rows(samples, padding=0):
    """Lay rows out one after the other, with noise between them; return bytes and step."""
    rows = samples.shape[0]
    packed = np.frombuffer(np.ascontiguousarray(samples).tobytes(), np.uint8).reshape(rows, -1)
    noise = np.random.default_rng(padding).integers(0, 256, (rows, padding), np.uint8)
    data = np.hstack([packed, noise])
    return data.tobytes(), data.shape[1]


def reordered(rgb, letters):
    """Arrange the channels of rgb as `letters` say; alpha is noise."""
    alpha = random_image(rgb.shape[:2], 1, 8 * rgb.itemsize)
    planes = {'r': rgb[..., 0], 'g': rgb[..., 1], 'b': rgb[..., 2], 'a': alpha}
    return np.stack([planes[letter] for letter in letters], -1)


def rgb_from_frame(frame):
    return frame.pixels[..., ::-1] if frame.color == 'bgr' else frame.pixels


def in_eight_bits(samples):
    """Nearest integer to 255 / 65535 of a sample; 257 is odd, so there are no ties."""
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


def rgb_from_yuv(y, u, v):
    """ITU-R BT.601, studio range, from its luma weights 0.299 and 0.114."""
    luma = 255 / 219 * (y.astype(float) - 16)
    blue = 255 / 224 * (u.astype(float) - 128)
    red = 255 / 224 * (v.astype(float) - 128)
    green = -(0.114 / 0.587) * 2 * (1 - 0.114) * blue - (0.299 / 0.587) * 2 * (1 - 0.299) * red
    rgb = np.stack([luma + 2 * (1 - 0.299) * red, luma + green, luma + 2 * (1 - 0.114) * blue], -1)
    return np.clip(rgb, 0, 255)


def studio_yuv(size_hw, shrink_hw):
    """Make a plane of Y and smaller planes of U and V, with samples of the studio range only."""
    seed = np.random.default_rng(size_hw)
    small = (size_hw[0] // shrink_hw[0], size_hw[1] // shrink_hw[1])
    y = seed.integers(16, 236, size_hw, np.uint8)
    return (y, *seed.integers(16, 241, (2, *small), np.uint8))


def enlarged(plane, shrink_hw):
    return plane.repeat(shrink_hw[0], 0).repeat(shrink_hw[1], 1)


def mosaic(rgb, pattern):
    """Keep of each pixel the channel that `pattern` names: its first row, then its second."""
    raw = np.zeros(rgb.shape[:2], rgb.dtype)
    for place, letter in enumerate(pattern):
        row, column = divmod(place, 2)
        raw[row::2, column::2] = rgb[row::2, column::2, 'rgb'.index(letter)]
    return raw


def ramps(size_hw, top):
    """Make an image whose channels rise linearly, each in a direction of its own."""
    down, across = np.mgrid[:size_hw[0], :size_hw[1]] / (np.array(size_hw) - 1)[:, None, None]
    return np.rint(top * np.stack([down, (across + 1 - down) / 2, 1 - across], -1))


@pytest.mark.parametrize(('encoding', 'color'), VIEWS.items())
def test_eight_bit_images_are_read_without_their_padding(encoding, color):
    for size_hw, padding in product(SIZES, PADDINGS):
        image = random_image(size_hw, 1 if color == 'gray' else 3)
        data, step = data_from_rows(image, padding)
        frame = frame_from_bytes(data, size_hw, encoding, step)
        assert frame.color == color
        np.testing.assert_array_equal(frame.pixels, image)


@pytest.mark.parametrize('encoding', VIEWS)
@pytest.mark.parametrize(
    'as_buffer',
    [bytes, bytearray, memoryview, lambda data: array('B', data),
     lambda data: np.frombuffer(data, np.uint8)],
)
def test_eight_bit_images_are_read_without_a_copy(encoding, as_buffer):
    channels = 1 if VIEWS[encoding] == 'gray' else 3
    data, step = data_from_rows(random_image((5, 7), channels), padding=5)
    buffer = as_buffer(data)
    frame = frame_from_bytes(buffer, (5, 7), encoding, step)
    assert np.shares_memory(frame.pixels, np.frombuffer(buffer, np.uint8))
    assert not frame.pixels.flags.writeable


@pytest.mark.parametrize('letters', ['rgba', 'bgra'])
def test_alpha_is_dropped(letters):
    for size_hw, padding in product(SIZES, PADDINGS):
        rgb = random_image(size_hw)
        data, step = data_from_rows(reordered(rgb, letters), padding)
        frame = frame_from_bytes(data, size_hw, f'{letters}8', step)
        np.testing.assert_array_equal(rgb_from_frame(frame), rgb)


def test_four_unnamed_channels_are_bgra_as_for_cv_bridge():
    rgb = random_image((4, 6))
    data, step = data_from_rows(reordered(rgb, 'bgra'))
    frame = frame_from_bytes(data, (4, 6), '8UC4', step)
    np.testing.assert_array_equal(rgb_from_frame(frame), rgb)


@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize('letters', ['rgb', 'bgr', 'rgba', 'bgra'])
def test_sixteen_bit_colours_shrink_to_the_nearest_of_eight_bits(letters, big_endian):
    for size_hw, padding in product(SIZES, PADDINGS):
        rgb = random_image(size_hw, bits=16)
        samples = reordered(rgb, letters).astype('>u2' if big_endian else '<u2')
        data, step = data_from_rows(samples, padding)
        frame = frame_from_bytes(data, size_hw, f'{letters}16', step, big_endian=big_endian)
        np.testing.assert_array_equal(rgb_from_frame(frame), in_eight_bits(rgb))


@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize('padding', PADDINGS)
def test_every_sixteen_bit_grey_level_shrinks_to_the_nearest_of_eight_bits(padding, big_endian):
    grey = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    data, step = data_from_rows(grey.astype('>u2' if big_endian else '<u2'), padding)
    frame = frame_from_bytes(data, (256, 256), 'mono16', step, big_endian=big_endian)
    assert frame.color == 'gray'
    np.testing.assert_array_equal(frame.pixels, in_eight_bits(grey))


def test_sixteen_bit_samples_may_lie_at_an_odd_address():
    grey = random_image((4, 6), 1, 16)
    odd = np.frombuffer(b'x' + grey.astype('<u2').tobytes(), np.uint8)[1:]
    frame = frame_from_bytes(odd, (4, 6), 'mono16', 12)
    np.testing.assert_array_equal(frame.pixels, in_eight_bits(grey))


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('pattern', PATTERNS)
def test_a_mosaic_of_one_colour_gives_that_colour_to_the_very_edge(pattern, bits):
    for size_hw in ((3, 3), (4, 4), (5, 8), (24, 33)):
        color = np.array([200, 120, 40]) * (257 if bits == 16 else 1)
        rgb = np.broadcast_to(color, (*size_hw, 3)).astype(f'<u{bits // 8}')
        data, step = data_from_rows(mosaic(rgb, pattern), padding=4)
        frame = frame_from_bytes(data, size_hw, f'bayer_{pattern}{bits}', step)
        expected = np.broadcast_to([200, 120, 40], frame.pixels.shape)
        np.testing.assert_array_equal(rgb_from_frame(frame), expected)


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('pattern', PATTERNS)
def test_a_mosaic_of_ramps_gives_the_ramps_back_in_place(pattern, bits):
    size_hw = (40, 56)
    rgb = ramps(size_hw, 2**bits - 1)
    data, step = data_from_rows(mosaic(rgb.astype(f'<u{bits // 8}'), pattern), padding=3)
    frame = frame_from_bytes(data, size_hw, f'bayer_{pattern}{bits}', step)
    expected = ramps(size_hw, 255)[1:-1, 1:-1]
    np.testing.assert_allclose(rgb_from_frame(frame)[1:-1, 1:-1], expected, atol=1.6)


@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('uyvy', 'uyvy'), ('yuv422', 'uyvy'), ('yuyv', 'yuyv'), ('yuv422_yuy2', 'yuyv')],
)
def test_packed_yuv_follows_bt601(encoding, order):
    for size_hw, padding in product([(1, 2), (3, 4), *EVEN_SIZES], PADDINGS):
        y, u, v = studio_yuv(size_hw, (1, 2))
        pair = {'u': [u], 'v': [v], 'y': [y[:, ::2], y[:, 1::2]]}
        data, step = data_from_rows(
            np.stack([pair[letter].pop(0) for letter in order], -1), padding
        )
        frame = frame_from_bytes(data, size_hw, encoding, step)
        expected = rgb_from_yuv(y, enlarged(u, (1, 2)), enlarged(v, (1, 2)))
        np.testing.assert_allclose(rgb_from_frame(frame), expected, atol=2)


@pytest.mark.parametrize('encoding', ['nv12', 'nv21'])
def test_planar_yuv_of_half_size_follows_bt601(encoding):
    for size_hw, padding in product(EVEN_SIZES, PADDINGS):
        y, u, v = studio_yuv(size_hw, (2, 2))
        chroma = np.stack([u, v] if encoding == 'nv12' else [v, u], -1)
        samples = np.vstack([y, chroma.reshape(-1, size_hw[1])])
        data, step = data_from_rows(samples, padding)
        frame = frame_from_bytes(data, size_hw, encoding, step)
        assert frame.size_hw == size_hw
        expected = rgb_from_yuv(y, enlarged(u, (2, 2)), enlarged(v, (2, 2)))
        np.testing.assert_allclose(rgb_from_frame(frame), expected, atol=2)


def test_planar_yuv_of_full_size_follows_bt601():
    for size_hw, padding in product(SIZES, PADDINGS):
        y, u, v = studio_yuv(size_hw, (1, 1))
        luma, step = data_from_rows(y, padding)
        # V4L2: a row of chroma is twice as long as one of luma, its padding included.
        chroma, _ = data_from_rows(np.stack([u, v], -1), 2 * padding)
        frame = frame_from_bytes(luma + chroma, size_hw, 'nv24', step)
        assert frame.size_hw == size_hw
        np.testing.assert_allclose(rgb_from_frame(frame), rgb_from_yuv(y, u, v), atol=2)


def test_stamp_and_frame_id_are_carried_on():
    frame = frame_from_bytes(b'abc', (1, 1), 'rgb8', 3, stamp_ns=12, frame_id='optical')
    assert (frame.stamp_ns, frame.frame_id) == (12, 'optical')


@pytest.mark.parametrize(
    ('size_hw', 'encoding', 'step', 'length', 'words'),
    [
        ((4, 6), 'rgb9', 18, 72, "'rgb9'.*rgb8, bgr8"),
        ((4, 6), '', 18, 72, 'names no encoding'),
        ((4, 6), '16UC1', 12, 48, 'depth.*mono16'),
        ((4, 6), '32FC1', 24, 96, 'depth.*mono16'),
        ((4, 6), '8UC2', 12, 48, 'uyvy'),
        ((0, 6), 'rgb8', 18, 0, '6 x 0.*1 or more'),
        ((4, 0), 'rgb8', 0, 0, '0 x 4.*1 or more'),
        ((2, 8), 'bayer_rggb8', 8, 16, '8 x 2.*3 or more'),
        ((4, 6), 'rgb8', 17, 68, 'step 17.*18 or more'),
        ((4, 6), 'mono16', 6, 24, 'step 6.*12 or more'),
        ((4, 6), 'rgb8', 0, 0, '0 bytes.*72'),
        ((4, 6), 'rgb8', 0, 71, '71 bytes.*72'),
        ((4, 6), 'rgb8', 18, 71, '71 bytes.*72'),
        ((4, 6), 'rgb8', 18, 73, '73 bytes.*72'),
        ((4, 6), 'rgb8', 18, 0, '0 bytes.*72'),
        ((4, 6), 'rgb8', 20, 79, '79 bytes.*80'),
        ((4, 6), 'rgb8', 20, 77, '77 bytes.*80'),
        ((4, 6), 'nv12', 6, 24, '24 bytes.*6 rows of step 6: 36'),
        ((4, 6), 'nv24', 6, 36, '36 bytes.*72'),
        ((5, 6), 'nv12', 6, 45, 'width in 2s and a height in 2s'),
        ((4, 5), 'nv21', 5, 30, 'width in 2s and a height in 2s'),
        ((4, 5), 'uyvy', 10, 40, 'width in 2s and a height in 1s'),
    ],
)
def test_an_image_that_contradicts_itself_is_refused_with_a_reason(
    size_hw, encoding, step, length, words
):
    with pytest.raises(ImageError, match=words) as caught:
        frame_from_bytes(bytes(length), size_hw, encoding, step)
    assert caught.value.seen
    assert caught.value.expected or caught.value.do


def test_no_encoding_is_both_read_and_refused():
    assert not set(ENCODINGS) & set(REFUSED)


def png_file(samples):
    """Write a PNG by its specification: one filterless IDAT, 16-bit samples big-endian."""
    height, width = samples.shape[:2]
    channels = samples.shape[2] if samples.ndim == 3 else 1
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = np.ascontiguousarray(samples, samples.dtype.newbyteorder('>'))
    scan = b''.join(b'\0' + row.tobytes() for row in rows)
    head = struct.pack('>IIBBBBB', width, height, 8 * samples.itemsize, kind, 0, 0, 0)
    chunks = ((b'IHDR', head), (b'IDAT', zlib.compress(scan)), (b'IEND', b''))
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))
        for name, body in chunks
    )


def jpeg_file(rgb, quality=95):
    return cv2.imencode('.jpg', rgb[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()


def with_segment(jpeg, body):
    """Insert an APP1 segment behind the start marker."""
    return jpeg[:2] + b'\xff\xe1' + struct.pack('>H', len(body) + 2) + body + jpeg[2:]


def smooth_rgb(size_hw=(48, 64)):
    return ramps(size_hw, 255).astype(np.uint8)


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('channels', [1, 3, 4])
def test_a_png_is_read_to_the_bit(channels, bits):
    samples = random_image((9, 7), channels, bits)
    frame = frame_from_file(png_file(samples), 'png', stamp_ns=3, frame_id='optical')
    expected = samples[..., :3] if channels > 1 else samples
    assert frame.color == ('gray' if channels == 1 else 'bgr')
    assert (frame.stamp_ns, frame.frame_id) == (3, 'optical')
    np.testing.assert_array_equal(
        rgb_from_frame(frame), in_eight_bits(expected) if bits == 16 else expected
    )


def test_a_jpeg_is_read_in_its_colours():
    rgb = smooth_rgb()
    frame = frame_from_file(jpeg_file(rgb), 'jpeg')
    assert np.abs(rgb_from_frame(frame).astype(int) - rgb).mean() < 2


def test_a_grey_jpeg_is_read_as_grey():
    grey = smooth_rgb()[..., 0]
    jpeg = cv2.imencode('.jpg', grey)[1].tobytes()
    for description in ('jpeg', 'mono16; jpeg compressed mono8', 'bgr8; jpeg compressed bgr8'):
        frame = frame_from_file(jpeg, description)
        assert frame.color == 'gray'
        assert np.abs(frame.pixels.astype(int) - grey).mean() < 2


@pytest.mark.parametrize('description', [
    '', 'png', 'jpg', 'JPEG', 'image/jpeg', 'rgb8; png compressed bgr8', 'bgr8; png compressed',
    'bgr8; png compressed bgr8', 'yuv422_yuy2; png compressed bgr8', 'rgb8; png',
    'rgb8; png compressed rgb8', 'bgr8; png compressed rgb8', 'RGB8;PNG compressed BGR8\0',
])
def test_the_bytes_of_a_colour_file_say_what_is_red_whatever_its_description_says(description):
    rgb = random_image((6, 8))
    frame = frame_from_file(png_file(rgb), description)
    np.testing.assert_array_equal(rgb_from_frame(frame), rgb)


@pytest.mark.parametrize('description', [
    'bayer_grbg8; png compressed ', 'BAYER_GRBG8; PNG compressed BAYER_GRBG8', 'bayer_grbg8; png',
    'bayer_grbg8',
])
def test_a_mosaic_within_a_png_is_interpolated(description):
    rgb = np.broadcast_to(np.uint8([200, 120, 40]), (8, 10, 3))
    file = png_file(mosaic(rgb, 'grbg'))
    np.testing.assert_array_equal(rgb_from_frame(frame_from_file(file, description)), rgb)
    wide = png_file(mosaic(rgb, 'grbg').astype(np.uint16) * 16)
    twelve_bits = description.lower().replace('grbg8', 'grbg12')
    found = frame_from_file(wide, twelve_bits, brightness=BrightnessRange('0..4080'))
    np.testing.assert_array_equal(rgb_from_frame(found), rgb)
    assert frame_from_file(file, 'bayer_grbg8; png compressed mono8').color == 'gray'


def test_depth_within_a_png_is_refused():
    with pytest.raises(ImageError, match='16UC1'):
        frame_from_file(png_file(random_image((8, 8), 1, 16)), '16UC1; png compressed ')


def test_an_exif_orientation_is_ignored():
    rgb = smooth_rgb((48, 64))
    # A little-endian TIFF directory of one entry: orientation (0x112), one short, 6.
    tiff = b'II*\0' + struct.pack('<IHHHIHHI', 8, 1, 0x112, 3, 1, 6, 0, 0)
    turned = with_segment(jpeg_file(rgb), b'Exif\0\0' + tiff)
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape[:2] == (64, 48)
    assert frame_from_file(turned, 'jpeg').size_hw == (48, 64)


@pytest.mark.parametrize('as_file', [jpeg_file, png_file])
def test_a_file_cut_anywhere_is_refused(as_file):
    file = as_file(smooth_rgb())
    for length in {0, 1, 2, 3, 20, len(file) - 40, *range(40, len(file) - 9, len(file) // 12)}:
        with pytest.raises(ImageError, match='bytes'):
            frame_from_file(file[:length], 'jpeg')


def test_a_damaged_png_is_refused():
    file = bytearray(png_file(random_image((32, 32))))
    file[len(file) // 2] ^= 0x55
    with pytest.raises(ImageError, match='undamaged'):
        frame_from_file(file, 'png')


def test_bytes_that_are_no_image_are_refused():
    with pytest.raises(ImageError, match='cannot be decoded'):
        frame_from_file(b'\0\0\0\1\x67\x42\0\x1f' * 40, 'h264')


def test_a_file_of_floats_is_refused():
    file = cv2.imencode('.tiff', smooth_rgb()[..., 0].astype(np.float32))[1]
    with pytest.raises(ImageError, match='float32'):
        frame_from_file(file.tobytes(), 'tiff')


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('channels', [1, 3])
def test_an_encoded_png_gives_every_sample_back(channels, bits):
    samples = random_image((11, 13), channels, bits)
    for image in (samples, samples[::2, ::3]):
        decoded = cv2.imdecode(np.frombuffer(encode_png(image), np.uint8), -1)
        assert decoded.dtype == image.dtype
        np.testing.assert_array_equal(decoded[..., ::-1] if channels == 3 else decoded, image)


def test_an_encoded_jpeg_has_the_colours_of_the_image():
    rgb = smooth_rgb()
    decoded = cv2.imdecode(np.frombuffer(encode_jpeg(rgb), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(decoded[..., ::-1].astype(int) - rgb).mean() < 2


def test_a_lower_quality_makes_a_smaller_jpeg():
    rgb = random_image((48, 64))
    assert len(encode_jpeg(rgb, 20)) < len(encode_jpeg(rgb, 90))


@pytest.mark.parametrize('encoding', ['mono16', 'bayer_rggb16', 'rgb16'])
def test_without_a_range_the_brightest_of_sixteen_bits_is_white(encoding):
    channels = 3 if encoding == 'rgb16' else 1
    data, step = data_from_rows(np.full((6, 8, channels), 4095, np.uint16))
    assert frame_from_bytes(data, (6, 8), encoding, step).pixels.max() == 16


@pytest.mark.parametrize('encoding', ['mono16', 'bayer_rggb16', 'rgb16'])
@pytest.mark.parametrize('bits', [8, 10, 12, 14, 16])
def test_a_sensor_of_fewer_bits_has_the_brightness_of_eight(encoding, bits):
    channels = 3 if encoding == 'rgb16' else 1
    gray = np.linspace(0, 255, 48, dtype=np.uint8).repeat(channels).reshape(6, 8, channels)
    data, step = data_from_rows((gray.astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16))
    frame = frame_from_bytes(data, (6, 8), encoding, step, brightness=BrightnessRange())
    eight, eight_step = data_from_rows(gray)
    expected = frame_from_bytes(eight, (6, 8), encoding.replace('16', '8'), eight_step).pixels
    assert np.abs(frame.pixels.astype(int) - expected).max() <= 1


def test_a_range_given_by_hand_makes_an_image_of_16uc1_and_of_a_png():
    kelvin_100 = np.linspace(29315, 31815, 48).astype(np.uint16).reshape(6, 8)
    expected = np.linspace(0, 255, 48).reshape(6, 8)
    data, step = data_from_rows(kelvin_100)
    given = BrightnessRange('29315..31815')
    raw = frame_from_bytes(data, (6, 8), '16UC1', step, brightness=given)
    png = frame_from_file(png_file(kelvin_100), '16UC1; png compressed ', brightness=given)
    for frame in (raw, png):
        assert frame.color == 'gray'
        assert np.abs(frame.pixels - expected).max() < 1


def test_16uc1_without_a_range_says_how_to_give_one():
    data, step = data_from_rows(random_image((6, 8), 1, 16))
    for brightness in (None, BrightnessRange(), BrightnessRange('full')):
        with pytest.raises(ImageError, match='set brightness_range'):
            frame_from_bytes(data, (6, 8), '16UC1', step, brightness=brightness)


@pytest.mark.parametrize('name', ['RGB8', 'rgb8 ', ' rgb8', 'rgb8\0', 'Rgb8'])
def test_an_encoding_is_known_in_any_case_and_without_what_surrounds_it(name):
    image = random_image((4, 6))
    data, step = data_from_rows(image)
    np.testing.assert_array_equal(frame_from_bytes(data, (4, 6), name, step).pixels, image)


def test_a_step_of_0_and_a_last_row_without_padding_are_read():
    image = random_image((4, 6))
    data, _ = data_from_rows(image)
    np.testing.assert_array_equal(frame_from_bytes(data, (4, 6), 'rgb8', 0).pixels, image)
    with pytest.raises(ImageError, match='72'):
        frame_from_bytes(data + b'a', (4, 6), 'rgb8', 0)
    padded, wide = data_from_rows(image, padding=5)
    frame = frame_from_bytes(padded[:-5], (4, 6), 'rgb8', wide)
    np.testing.assert_array_equal(frame.pixels, image)


@pytest.mark.parametrize('name', ['jpeg', 'mjpeg', 'JPG', 'png'])
def test_a_file_within_an_image_is_decoded(name):
    rgb = smooth_rgb()
    data = png_file(rgb) if name == 'png' else jpeg_file(rgb)
    frame = frame_from_bytes(data, (48, 64), name, 192)
    assert np.abs(rgb_from_frame(frame).astype(int) - rgb).mean() < 2


@pytest.mark.parametrize('name', ['i420', 'yuv420', 'YUV420P'])
def test_planes_of_half_size_below_each_other_follow_bt601(name):
    y, u, v = studio_yuv((8, 12), (2, 2))
    planes = np.concatenate([y.ravel(), u.ravel(), v.ravel()])
    frame = frame_from_bytes(planes.tobytes(), (8, 12), name, 12)
    expected = rgb_from_yuv(y, enlarged(u, (2, 2)), enlarged(v, (2, 2)))
    assert np.abs(frame.pixels - expected).max() < 3


@pytest.mark.parametrize('bits', [10, 12, 14])
def test_a_mosaic_of_fewer_bits_has_the_brightness_of_eight(bits):
    rgb = np.broadcast_to(np.uint16([2**bits - 1, 2**bits // 2, 0]), (8, 10, 3))
    data, step = data_from_rows(mosaic(rgb, 'rggb'))
    frame = frame_from_bytes(
        data, (8, 10), f'bayer_rggb{bits}', step, brightness=BrightnessRange()
    )
    assert np.abs(frame.pixels[4, 4].astype(int) - [255, 128, 0]).max() <= 1


def test_an_image_without_an_encoding_says_so():
    with pytest.raises(ImageError, match='names no encoding'):
        frame_from_bytes(bytes(12), (2, 2), '', 6)
