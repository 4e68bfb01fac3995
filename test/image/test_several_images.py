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
from seg_ros.image.several_images import holds_several

PIXELS = np.full((4, 6, 3), 90, np.uint8)
# Two frames of one pixel, as GIF89a writes them.
GIF_HEAD = b'GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff'
GIF_FRAME = b'\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0'
GIF_FRAME_WITH_PALETTE = b'\x2c\0\0\0\0\1\0\1\0\x81' + b'\x55' * 12 + b'\2\2\x44\1\0'
GIF_DELAY = b'\x21\xf9\4\0\x0a\0\0\0'


def png(*chunks):
    return b'\x89PNG\r\n\x1a\n' + bytes(25) + b''.join(chunks)


@pytest.mark.parametrize(('data', 'several'), [
    (GIF_HEAD + GIF_FRAME + b';', False),
    (GIF_HEAD + GIF_DELAY + GIF_FRAME + b';', False),
    (GIF_HEAD + GIF_FRAME + GIF_FRAME + b';', True),
    (GIF_HEAD + GIF_DELAY + GIF_FRAME + GIF_DELAY + GIF_FRAME, True),
    (GIF_HEAD + 2 * GIF_FRAME_WITH_PALETTE + b';', True),
    (b'GIF89a\1\0\1\0\x07\0\0' + 2 * GIF_FRAME_WITH_PALETTE + b';', True),
    (GIF_HEAD + GIF_FRAME[:5], False), (GIF_HEAD[:9], False),
    (png(b'\0\0\0\x08acTL\0\0\0\2\0\0\0\0'), True),
    (png(b'\0\0\0\x08acTL\0\0\0\1\0\0\0\0'), False), (png(b'acTL'), False),
    (b'RIFF....WEBPVP8X....ANIM....ANMF....ANMF', True), (b'RIFF....WEBPVP8L', False),
    (b'II*\0\x08\0\0\0\0\0\x20\0\0\0', True), (b'MM\0*\0\0\0\x08\0\0\0\0\0\0', False),
    (b'II*\0\xff\xff\xff\xff', False), (b'', False),
])
def test_what_holds_several_images_is_known_by_its_header(data, several):
    assert holds_several(data) is several


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp', '.tif', '.bmp', '.ppm'])
def test_an_ordinary_image_is_one(suffix):
    assert not holds_several(cv2.imencode(suffix, PIXELS)[1].tobytes())


def test_a_tiff_of_two_pages_holds_several(tmp_path):
    assert cv2.imwritemulti(str(tmp_path / 'pages.tif'), [PIXELS, PIXELS])
    assert holds_several((tmp_path / 'pages.tif').read_bytes())
