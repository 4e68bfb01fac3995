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

"""JPEGs as cameras send them are read, damaged ones are refused, with and without simplejpeg."""

from importlib.util import find_spec

import cv2
import numpy as np
import pytest
from seg_ros.core.errors import ImageError
from seg_ros.image.jpeg_decoding import decode_jpeg, strict_decoder

OPTIONS = {
    'baseline': (),
    'progressive': (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    'optimised': (cv2.IMWRITE_JPEG_OPTIMIZE, 1),
    'restarts': (cv2.IMWRITE_JPEG_RST_INTERVAL, 4),
    'coarse': (cv2.IMWRITE_JPEG_QUALITY, 10),
    'fine': (cv2.IMWRITE_JPEG_QUALITY, 100),
}
KINDS = pytest.mark.parametrize('kind', OPTIONS)


@pytest.fixture(params=['simplejpeg', 'opencv'], autouse=True)
def decoder(request, monkeypatch):
    """Decode with simplejpeg and, as where it is not installed, with OpenCV."""
    if request.param == 'opencv':
        monkeypatch.setattr('seg_ros.image.jpeg_decoding.find_spec', lambda name: None)
    elif not find_spec('simplejpeg'):
        pytest.skip('simplejpeg is not installed')
    strict_decoder.cache_clear()
    yield request.param
    strict_decoder.cache_clear()


def scene(size_hw=(120, 161), gray=False):
    """Make blocks and noise, so that all of a JPEG's bits are in use."""
    seed = np.random.default_rng(5)
    blocks = seed.integers(0, 256, (size_hw[0] // 8 + 1, size_hw[1] // 8 + 1, 3), np.uint8)
    image = np.kron(blocks, np.ones((8, 8, 1), np.uint8))[:size_hw[0], :size_hw[1]]
    image = cv2.GaussianBlur(image, (5, 5), 0)
    return image[..., 0].copy() if gray else image


def jpeg(kind='baseline', image=None):
    return cv2.imencode('.jpg', scene() if image is None else image, OPTIONS[kind])[1].tobytes()


def without_huffman_tables(data):
    """Leave out DHT segments, as Motion-JPEG does; its tables are those of annex K."""
    kept, place = data[:2], 2
    while data[place + 1] != 0xDA:
        end = place + 2 + int.from_bytes(data[place + 2:place + 4], 'big')
        kept += b'' if data[place + 1] == 0xC4 else data[place:end]
        place = end
    return kept + data[place:]


@KINDS
@pytest.mark.parametrize('gray', [False, True])
@pytest.mark.parametrize('size_hw', [(1, 1), (7, 9), (16, 16), (120, 161)])
def test_an_honest_jpeg_is_read_as_opencv_reads_it(kind, gray, size_hw):
    data = jpeg(kind, scene(size_hw, gray))
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_ANYCOLOR)
    pixels = decode_jpeg(data)
    assert pixels.shape == expected.shape
    # Decoders differ by a level or two in how they interpolate chroma.
    assert np.abs(pixels.astype(int) - expected).mean() < 1


@pytest.mark.parametrize('level', [0, 255])
def test_an_image_of_one_colour_is_read(level):
    data = jpeg(image=np.full((480, 640, 3), level, np.uint8))
    assert (decode_jpeg(data) == level).all()


@pytest.mark.parametrize('behind', [
    b'', bytes(3), bytes(300), b'\xff' * 16, b'\xff\xd9', b'\xff\xd9' + bytes(3000),
    b'\xff\xd9' + b'\xff' * 16, b'\xff\xd9 stale bytes of the image before',
])
@pytest.mark.parametrize('tables', [True, False])
def test_motion_jpeg_is_read_without_end_marker_and_tables_and_with_padding(behind, tables):
    whole = jpeg()
    data = whole if tables else without_huffman_tables(whole)
    assert tables == (len(data) == len(whole))
    pixels = decode_jpeg(data[:-2] + behind)
    np.testing.assert_array_equal(pixels, decode_jpeg(whole))


@pytest.mark.parametrize('padding', [b'', bytes(3), bytes(300)])
def test_a_scan_that_ends_like_padding_is_read_whole_without_an_end_marker(padding):
    seeds = map(np.random.default_rng, range(1000))
    images = (jpeg(image=seed.integers(0, 256, (16, 16), np.uint8)) for seed in seeds)
    whole = next(data for data in images if data.endswith(b'\xff\0\xff\xd9'))
    np.testing.assert_array_equal(decode_jpeg(whole[:-2] + padding), decode_jpeg(whole))


@pytest.mark.parametrize('extra', [b'\x3f', b'\x12\x34', b'\x01\x02\x03\x04'])
def test_a_few_extra_bytes_as_usb_cameras_add_them_do_no_harm(extra):
    whole = jpeg()
    pixels = decode_jpeg(whole[:-2] + extra + b'\xff\xd9')
    np.testing.assert_array_equal(pixels, decode_jpeg(whole))


@KINDS
@pytest.mark.parametrize('end', [b'', b'\xff\xd9', bytes(500), bytes(500) + b'\xff\xd9'])
def test_a_jpeg_cut_anywhere_is_refused_with_and_without_an_end_marker(kind, end, decoder):
    data = jpeg(kind)
    for share in (0.1, 0.3, 0.5, 0.7, 0.9, 0.95):
        length = int(share * len(data))
        if kind == 'progressive' and decoder == 'opencv' and length > data.rfind(b'\xff\xda'):
            break       # the last refinement, which OpenCV alone cannot check
        with pytest.raises(ImageError, match=r'too soon|damaged|frame header'):
            decode_jpeg(data[:length] + end)


def test_a_jpeg_with_a_hole_is_refused():
    data = jpeg()
    middle = len(data) // 2
    with pytest.raises(ImageError, match=r'too soon|damaged'):
        decode_jpeg(data[:middle] + data[middle + 400:])


def test_a_progressive_jpeg_of_its_first_scans_alone_is_refused():
    data = jpeg('progressive')
    last = data.rfind(b'\xff\xda')
    with pytest.raises(ImageError, match='last scan'):
        decode_jpeg(data[:last] + b'\xff\xd9')


def test_damage_that_shifts_blocks_is_refused():
    """Where eight bytes are others, blocks are lost or come out of nothing, or nearly so."""
    data, seed = jpeg('fine'), np.random.default_rng(1)
    start = data.rfind(b'\xff\xda') + 20
    whole, unnoticed = decode_jpeg(data).astype(int), 0
    for _ in range(60):
        place = int(seed.integers(start, len(data) - 40))
        bytes_ = seed.integers(0, 255, 8, np.uint8).tobytes()
        try:
            pixels = decode_jpeg(data[:place] + bytes_ + data[place + 8:])
        except ImageError:
            continue
        # The same number of blocks in the same bits: no decoder reports that.
        unnoticed += np.abs(pixels - whole).max(-1).mean() > 16
    assert unnoticed <= 20


def test_a_jpeg_with_more_scans_than_any_camera_writes_is_refused():
    data = jpeg('progressive')
    last = data.rfind(b'\xff\xda')
    with pytest.raises(ImageError, match='scans'):
        decode_jpeg(data[:-2] + 200 * data[last:-2] + b'\xff\xd9')


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_image():
    thumbnail = b'Exif\0\0' + jpeg(image=scene((8, 8)))
    segment = b'\xff\xe1' + (len(thumbnail) + 2).to_bytes(2, 'big') + thumbnail
    whole = jpeg()
    assert decode_jpeg(whole[:2] + segment + whole[2:]).shape == (120, 161, 3)
    with pytest.raises(ImageError, match=r'too soon|Premature|premature'):
        decode_jpeg(whole[:2] + segment + whole[2:-200])


def test_a_simplejpeg_that_does_not_load_leaves_it_to_opencv_and_says_so(monkeypatch):
    def broken(name):
        raise ValueError('numpy.dtype size changed')

    monkeypatch.setattr('seg_ros.image.jpeg_decoding.find_spec', lambda name: name)
    monkeypatch.setattr('seg_ros.image.jpeg_decoding.import_module', broken)
    assert decode_jpeg(jpeg()).shape == (120, 161, 3)
    assert 'numpy.dtype size changed' in strict_decoder()[1]
