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

"""A file's size is read from its header, and a claim that cannot be honest is refused."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from seg_ros.core.errors import ImageError
from seg_ros.image.encodings import frame_from_file
from seg_ros.image.file_size import check_size, is_image, MAGIC_BYTES, MAX_PIXELS

KINDS = [
    kind for kind in ('.jpg', '.png', '.webp', '.tiff', '.bmp', '.gif', '.pgm', '.ppm', '.pam',
                      '.ras', '.avif', '.jp2')
    if cv2.haveImageWriter(f'a{kind}')
]


def file_of(kind, size_hw=(60, 90), options=()):
    ramp = np.arange(size_hw[1], dtype=np.uint8)[None, :, None]
    image = np.broadcast_to(ramp, (*size_hw, 1 if kind == '.pgm' else 3))
    try:
        written, data = cv2.imencode(kind, np.ascontiguousarray(image), list(options))
    except cv2.error:
        written = False
    if not written:
        pytest.skip(f'this OpenCV does not write {kind}')
    return data.tobytes()


def png_claiming(width, height, behind=b''):
    head = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))
        for name, body in ((b'IHDR', head), (b'IDAT', behind), (b'IEND', b''))
    )


def with_sides(data, old_hw, new_hw, order='>', kind='H'):
    """Write other sides over those that stand together in a header, the height first."""
    old = struct.pack(f'{order}2{kind}', *old_hw)
    assert data.count(old) == 1
    return data.replace(old, struct.pack(f'{order}2{kind}', *new_hw))


@pytest.mark.parametrize('kind', KINDS)
def test_what_opencv_writes_is_read_and_known_by_its_first_bytes(kind):
    assert frame_from_file(file_of(kind)).size_hw == (60, 90)
    assert is_image(file_of(kind)[:MAGIC_BYTES])
    assert not is_image(b'-' + file_of(kind))


@pytest.mark.parametrize(('kind', 'options'), [
    *((kind, ()) for kind in KINDS), ('.webp', (cv2.IMWRITE_WEBP_QUALITY, 101)),
])
def test_the_size_in_a_header_is_that_of_the_image_that_opencv_wrote(kind, options, monkeypatch):
    monkeypatch.setattr('seg_ros.image.file_size.MAX_PIXELS', 0)
    with pytest.raises(ImageError, match='claims 700 x 300 pixels'):
        check_size(file_of(kind, (300, 700), options))


def test_a_small_jpeg_that_claims_a_gigapixel_is_refused():
    bomb = with_sides(file_of('.jpg'), (60, 90), (16000, 65000))
    with pytest.raises(ImageError, match='claims 65000 x 16000 pixels'):
        frame_from_file(bomb, 'jpeg')


@pytest.mark.parametrize(('kind', 'order', 'field', 'flipped'), [
    ('.png', '>', 'I', True), ('.bmp', '<', 'i', True), ('.gif', '<', 'H', True),
    ('.ras', '>', 'I', True), ('.avif', '>', 'I', True),
])
def test_other_files_that_claim_too_much_are_refused(kind, order, field, flipped):
    file = file_of(kind)
    sides = struct.pack(f'{order}2{field}', 90, 60)
    bomb = file.replace(sides, struct.pack(f'{order}2{field}', 30001, 20000))
    assert bomb != file
    with pytest.raises(ImageError, match='claims 30001 x 20000'):
        frame_from_file(bomb)


@pytest.mark.parametrize('form', [b'P5\n30001 20000\n255\n', b'P2 # a word\n30001 20000 255\n',
                                  b'P7\nWIDTH 30001\nHEIGHT 20000\nDEPTH 1\nMAXVAL 255\nENDHDR\n'])
def test_plain_headers_that_claim_too_much_are_refused(form):
    with pytest.raises(ImageError, match='claims 30001 x 20000'):
        frame_from_file(form)


@pytest.mark.parametrize('file', [
    pytest.param(b'II*\0' + struct.pack('<IH', 8, 2) + b''.join(
        struct.pack('<HHII', tag, 4, 1, side) for tag, side in ((256, 30001), (257, 20000))
    ), id='TIFF'),
    pytest.param(
        b'RIFF\0\0\0\0WEBPVP8X' + bytes(8) + struct.pack('<HBHB', 30000, 0, 19999, 0), id='WebP'
    ),
    pytest.param(b'BM' + bytes(12) + struct.pack('<IHH', 12, 30001, 20000), id='BMP of OS/2'),
    pytest.param(b'BM' + bytes(12) + struct.pack('<Iii', 40, 30001, -20000), id='BMP, top first'),
    pytest.param(
        b'\xff\x4f\xff\x51' + struct.pack('>HHIIII', 41, 0, 30006, 20007, 5, 7), id='JPEG 2000'
    ),
])
def test_kinds_of_headers_that_opencv_does_not_write_claim_their_size_too(file):
    with pytest.raises(ImageError, match='claims 30001 x 20000'):
        check_size(file)


def test_even_a_file_of_many_bytes_holds_no_more_pixels_than_a_camera_has():
    with pytest.raises(ImageError, match=str(MAX_PIXELS)):
        check_size(png_claiming(40000, 40000) + bytes(10**7))


@pytest.mark.parametrize('kind', ['.jpg', '.png'])
@pytest.mark.parametrize('uniform', [True, False])
def test_an_honest_image_of_48_megapixels_is_read(kind, uniform):
    image = np.zeros((6000, 8000), np.uint8)
    if not uniform:
        image[::16, ::16] = 255
    data = cv2.imencode(kind, image)[1].tobytes()
    assert frame_from_file(data).size_hw == (6000, 8000)


@pytest.mark.parametrize('data', [
    b'\xff\xd8', b'\x89PNG\r\n\x1a\n', b'BM', b'GIF89a', b'P5\n', b'P7\n', b'II*\0',
    b'II*\0\xff\xff\xff\xff', b'RIFF\0\0\0\0WEBP', b'\0\0\0\x20ftypavif', b'\x59\xa6\x6a\x95',
    b'\0\0\0\x0cjP  ', b'\xff\x4f\xff\x51',
])
def test_a_header_that_is_damaged_is_refused_in_one_sentence(data):
    with pytest.raises(ImageError, match=f'{len(data)} bytes that .*(header is damaged|too soon)'):
        frame_from_file(data)


@pytest.mark.parametrize('data', [b'', b'\xff', b'hello', b'\0\0\0\1\x67\x42\0\x1f'])
def test_a_file_of_no_known_kind_is_refused_with_its_first_bytes(data):
    begins = data.hex(' ') or 'nothing'
    with pytest.raises(ImageError, match=f'{len(data)} bytes .* begins with {begins}'):
        frame_from_file(data)
