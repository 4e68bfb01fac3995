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

import cv2
import numpy as np
import pytest
from seg_ros.core.frame import Frame
from seg_ros.image.exif_orientation import upright

PIXELS = np.zeros((8, 16, 3), np.uint8)
# Row and column of the stored image's first pixel as it is shown (Exif 2.32, table 6).
SHOWN_AT = {
    1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0),
}


def exif(orientation, order='little'):
    """Write a TIFF header whose only tag is the orientation."""
    def word(value, size):
        return value.to_bytes(size, order)

    head = b'II*\0' if order == 'little' else b'MM\0*'
    tag = word(0x0112, 2) + word(3, 2) + word(1, 4) + word(orientation, 2) + bytes(2)
    return head + word(8, 4) + word(1, 2) + tag + bytes(4)


def jpeg_with(header, pixels=PIXELS):
    data = cv2.imencode('.jpg', pixels)[1].tobytes()
    body = b'Exif\0\0' + header
    return data[:2] + b'\xff\xe1' + (len(body) + 2).to_bytes(2, 'big') + body + data[2:]


def frame():
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    return Frame(pixels, 'gray', 5, 'camera')


@pytest.mark.parametrize('order', ['little', 'big'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_an_image_is_shown_as_its_file_says(orientation, order):
    found = upright(frame(), jpeg_with(exif(orientation, order)))
    assert found.pixels.shape == ((2, 3) if orientation < 5 else (3, 2))
    assert found.pixels[SHOWN_AT[orientation]] == 0
    assert sorted(found.pixels.flat) == [0, 1, 2, 3, 4, 5]
    assert (found.stamp_ns, found.frame_id, found.color) == (5, 'camera', 'gray')


@pytest.mark.parametrize('orientation', range(1, 9))
def test_it_is_what_opencv_shows(orientation):
    stored = np.zeros((16, 24), np.uint8)
    stored[:8, :8] = 255
    data = jpeg_with(exif(orientation), stored)
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(upright(Frame(stored, 'gray'), data).pixels > 127, shown > 127)


@pytest.mark.parametrize('data', [
    b'', jpeg_with(b''), jpeg_with(exif(0)), jpeg_with(exif(9)), jpeg_with(exif(6)[:12]),
    jpeg_with(b'II*\0\xff\xff\xff\xff'), b'\x89PNG eXIf', b'RIFF....WEBPEXIF',
])
def test_a_file_that_says_nothing_is_left_as_it_is(data):
    given = frame()
    assert upright(given, data) is given


def test_png_and_webp_say_it_in_a_chunk():
    for data in (b'\x89PNG\r\n\x1a\n....eXIf' + exif(6),
                 b'RIFF....WEBPVP8X....EXIF....' + exif(6),
                 b'RIFF....WEBPVP8X....EXIF....Exif\0\0' + exif(6)):
        assert upright(frame(), data).pixels.tolist() == [[3, 0], [4, 1], [5, 2]]
