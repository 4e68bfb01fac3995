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

"""Class ids of images with a palette, of which OpenCV gives the grey levels."""

import struct
import zlib

import numpy as np
import pytest
from seg_ros.training.image_files import read_class_ids


def png_of(ids, bits):
    """Write a PNG of few bits without a palette, by its specification."""
    height, width = ids.shape
    bit_rows = (ids[..., None] >> np.arange(bits)[::-1] & 1).reshape(height, -1).astype(np.uint8)
    rows = b''.join(b'\0' + np.packbits(row).tobytes() for row in bit_rows)
    parts = [
        (b'IHDR', struct.pack('>IIBBBBB', width, height, bits, 0, 0, 0, 0)),
        (b'IDAT', zlib.compress(rows)), (b'IEND', b''),
    ]
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
        for kind, data in parts
    )


@pytest.mark.parametrize('bits', [1, 2, 4, 8])
def test_ids_of_few_bits_are_as_they_were_written(tmp_path, bits):
    ids = np.random.default_rng(0).integers(0, 2 ** bits, (12, 16))
    (tmp_path / 'a.png').write_bytes(png_of(ids, bits))
    assert np.array_equal(read_class_ids(tmp_path / 'a.png'), ids)


def test_a_bmp_that_was_saved_with_a_palette_gives_its_indexes(tmp_path):
    image = pytest.importorskip('PIL.Image', reason='palettes need Pillow, the extra [train]')
    ids = np.random.default_rng(0).integers(0, 3, (12, 13)).astype(np.uint8)
    drawn = image.fromarray(ids)
    drawn.putpalette([0, 0, 0, 200, 200, 200, 90, 90, 90])
    drawn.save(tmp_path / 'a.bmp')
    assert np.array_equal(read_class_ids(tmp_path / 'a.bmp'), ids)
