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

"""A frame takes the images that cameras give and refuses all others."""

import numpy as np
import pytest
from seg_ros.core.errors import ImageError
from seg_ros.core.frame import Frame


@pytest.mark.parametrize(('shape', 'color'), [
    ((4, 6, 3), 'rgb'), ((4, 6, 3), 'bgr'), ((4, 6), 'gray'), ((1, 1, 3), 'rgb'),
])
def test_an_image_that_suits_its_color_is_taken(shape, color):
    assert Frame(np.zeros(shape, np.uint8), color).size_hw == shape[:2]


@pytest.mark.parametrize(('shape', 'color'), [
    ((4, 6), 'rgb'), ((4, 6, 1), 'gray'), ((4, 6, 3), 'gray'), ((4, 6, 4), 'rgb'), ((4,), 'gray'),
    ((0, 6, 3), 'rgb'), ((4, 0), 'gray'), ((2, 4, 6, 3), 'rgb'),
])
def test_a_shape_that_contradicts_the_color_is_refused(shape, color):
    with pytest.raises(ImageError) as caught:
        Frame(np.zeros(shape, np.uint8), color)
    assert str(shape) in str(caught.value)
    assert color in str(caught.value)


@pytest.mark.parametrize('facts', [{'color': 'hsv'}, {'stamp_ns': '7'}, {'stamp_ns': 0.5}])
def test_another_order_of_colors_and_a_stamp_that_is_no_whole_number_are_named(facts):
    ((name, value),) = facts.items()
    with pytest.raises(ImageError, match=f'{name}: {value!r}; expected'):
        Frame(np.zeros((4, 6, 3), np.uint8), **facts)


@pytest.mark.parametrize('kind', [np.uint16, np.int8, np.float32, bool])
def test_anything_but_bytes_is_refused(kind):
    with pytest.raises(ImageError, match=np.dtype(kind).name):
        Frame(np.zeros((4, 6, 3), kind))


def test_a_read_only_view_with_padded_rows_is_kept_without_a_copy():
    message = bytes(range(256))
    rows = np.frombuffer(message, np.uint8)[:160].reshape(8, 20)
    pixels = rows[:, :18].reshape(8, 6, 3)
    frame = Frame(pixels, stamp_ns=7, frame_id='left')
    assert frame.pixels is pixels
    assert (frame.size_hw, frame.stamp_ns, frame.frame_id) == ((8, 6), 7, 'left')
