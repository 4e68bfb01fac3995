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

"""Strategies for what may come in: honest images and files, and what may become of them."""

from collections.abc import Sequence

import cv2
from hypothesis import strategies as st
import numpy as np
from seg_ros.image.encodings import ENCODINGS, REFUSED

SUFFIXES = ('.jpg', '.png', '.webp', '.tiff', '.bmp', '.pgm')
HARMS = ('cut', 'flip', 'drop', 'insert', 'repeat', 'number', 'splice')
STRANGE_ENCODINGS = ('', 'RGB8', 'rgb8 ', 'rgb8\0', 'h264', '8UC0', '64FC3', 'bayer', '💥')
sides = st.one_of(st.integers(0, 70), st.sampled_from([1, 2, 3, 65535, 2**31, 2**32 - 1]))


@st.composite
def honest_raw(draw):
    """Give data, size, encoding and step that agree, and the pixels' bytes."""
    name = draw(st.sampled_from(sorted(ENCODINGS)))
    kind = ENCODINGS[name]
    down, across = kind.cell_hw
    height = down * draw(st.integers(-(-kind.min_side_px // down), 20))
    width = across * draw(st.integers(-(-kind.min_side_px // across), 20))
    step = width * kind.bytes_per_pixel + draw(st.integers(0, 9))
    length = int(height * kind.rows) * step
    data = np.random.default_rng(draw(st.integers(0, 2**32))).bytes(length)
    return data, (height, width), name, step


@st.composite
def any_raw(draw):
    """Give what a message may hold, seldom right."""
    data, size_hw, name, step = draw(honest_raw())
    return (
        draw(st.one_of(st.just(data), st.binary(max_size=200), st.just(data[:-1]))),
        draw(st.one_of(st.just(size_hw), st.tuples(sides, sides))),
        draw(st.one_of(st.just(name), st.sampled_from((*REFUSED, *STRANGE_ENCODINGS)), st.text())),
        draw(st.one_of(st.just(step), sides)),
    )


@st.composite
def samples_of_16_bits(draw):
    """Give frames of one camera: brightness, temperatures, black, dead pixels, in any order."""
    shape = draw(st.sampled_from([(1, 1), (3, 5), (40, 60), (8, 9, 3)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    low, high = sorted((draw(st.integers(0, 65535)), draw(st.integers(0, 65535))))
    return rng.integers(low, high + 1, shape).astype(np.uint16)


def image_file(suffix: str, seed: int, size_hw: Sequence[int], quality: int) -> bytes:
    """Compress an image of smooth and noisy parts."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(0, 256, (5, 7, 3), np.uint8), tuple(size_hw[::-1]))
    image[:, ::3] ^= rng.integers(0, 30, image[:, ::3].shape, np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == '.jpg' else []
    return cv2.imencode(suffix, image[..., 0] if suffix == '.pgm' else image, options)[1].tobytes()


files = st.builds(
    image_file, st.sampled_from([suffix for suffix in SUFFIXES if cv2.haveImageWriter(suffix)]),
    st.integers(0, 50), st.tuples(st.integers(1, 60), st.integers(1, 60)), st.integers(1, 100),
)


@st.composite
def damaged(draw, whole):
    """Cut, flip, repeat, drop, insert and splice the bytes of a file, a few times."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(0, 64))
        harm = draw(st.sampled_from(HARMS))
        if harm == 'cut':
            del data[place:]
        elif harm == 'flip' and data:
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif harm == 'drop':
            del data[place:place + length]
        elif harm == 'insert':
            data[place:place] = draw(st.binary(max_size=64))
        elif harm == 'repeat':
            data[place:place] = data[place:place + length]
        elif harm == 'number':  # as a header's sizes and lengths are
            data[place:place + 4] = draw(st.sampled_from(
                [b'\0\0\0\0', b'\xff\xff\xff\xff', b'\x7f\xff\xff\xff', b'\0\0\xff\xff']
            ))
        elif harm == 'splice':
            data[place:] = draw(whole)[place:]
    return bytes(data)


descriptions = st.one_of(
    st.sampled_from([
        '', 'jpeg', 'png', 'rgb8; jpeg compressed bgr8', 'bayer_rggb8; png compressed ',
        '16UC1; png compressed ', 'mono16; png compressed mono16', 'nv12; png compressed mono8',
        ';', ';;compressed', 'compressed', '\0',
    ]),
    st.text(max_size=40),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from([1e400, -1e400, 10**400, '', 'auto', 'rgb', 'semantic']),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
