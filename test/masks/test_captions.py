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

import numpy as np
import pytest
from seg_ros.masks.captions import Caption, letter_height, write_captions

PURPLE, GREEN = (120, 0, 140), (0, 140, 60)


def plate_of(drawn, color):
    """Return x0, y0, x1, y1 of the pixels of one colour, or None without any."""
    rows, columns = np.nonzero((drawn == color).all(axis=2))
    if not len(rows):
        return None
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def write(size_hw, *captions):
    drawn = np.zeros((*size_hw, 3), np.uint8)
    write_captions(drawn, captions)
    return drawn


@pytest.mark.parametrize('spot', [(-50, -50), (500, 10), (160, 500), (0, 239), (319, 0)])
def test_a_plate_stays_inside_the_image_as_near_its_spot_as_that_allows(spot):
    drawn = write((240, 320), Caption('person 3', PURPLE, ((*spot, 1.0),)))
    at_ease = plate_of(write((240, 320), Caption('person 3', PURPLE, ((160, 120, 1.0),))), PURPLE)
    x0, y0, x1, y1 = plate_of(drawn, PURPLE)
    wide, high = at_ease[2] - at_ease[0], at_ease[3] - at_ease[1]
    assert (x1 - x0, y1 - y0) == (wide, high)
    assert x0 == round(np.clip(spot[0] - wide / 2, 0, 320 - wide))
    assert y0 == round(np.clip(spot[1] - high, 0, 240 - high))


@pytest.mark.parametrize(('above', 'top', 'bottom'), [(1.0, None, 120), (0.0, 120, None)])
def test_a_plate_stands_on_its_spot_or_hangs_from_it(above, top, bottom):
    drawn = write((240, 320), Caption('person', PURPLE, ((160, 120, above),)))
    x0, y0, x1, y1 = plate_of(drawn, PURPLE)
    assert (x0 + x1) / 2 == pytest.approx(160, abs=1)
    assert y0 == (top or y0)
    assert y1 == (bottom or y1)


def test_plates_never_cover_each_other_and_the_first_comes_first():
    here, there = (160, 100, 0.5), (160, 200, 0.5)
    drawn = write(
        (240, 320), Caption('first', PURPLE, (here,)), Caption('second', GREEN, (here, there))
    )
    assert plate_of(drawn, PURPLE)[3] < plate_of(drawn, GREEN)[1]


def test_plates_may_touch():
    above, below = ((160, 100, share) for share in (1.0, 0.0))
    drawn = write(
        (240, 320), Caption('word', PURPLE, (above,)), Caption('word', GREEN, (below,))
    )
    x0, y0, x1, y1 = plate_of(drawn, PURPLE)
    assert plate_of(drawn, GREEN) == (x0, y1, x1, 2 * y1 - y0)
    wide = x1 - x0
    left, right = ((160 + shift, 100, 0.5) for shift in (-wide / 2, wide / 2))
    drawn = write((240, 320), Caption('word', PURPLE, (left,)), Caption('word', GREEN, (right,)))
    assert plate_of(drawn, PURPLE)[2] == plate_of(drawn, GREEN)[0] == 160


def test_a_word_stands_in_the_middle_of_its_plate():
    drawn = write((240, 320), Caption('HHHHH', PURPLE, ((160, 120, 0.5),)))
    x0, y0, x1, y1 = plate_of(drawn, PURPLE)
    rows, columns = np.nonzero((drawn[y0:y1, x0:x1] != PURPLE).any(axis=2))
    assert columns.min() == pytest.approx(x1 - x0 - 1 - columns.max(), abs=2)
    assert rows.min() == pytest.approx(y1 - y0 - 1 - rows.max(), abs=2)
    assert rows.min() >= 2


def test_a_caption_without_a_free_spot_is_left_out():
    here = (160, 100, 0.5)
    drawn = write((240, 320), Caption('first', PURPLE, (here,)), Caption('second', GREEN, (here,)))
    assert plate_of(drawn, PURPLE)
    assert plate_of(drawn, GREEN) is None


@pytest.mark.parametrize('size_hw', [(240, 40), (15, 400)])
def test_a_caption_larger_than_the_image_is_left_out(size_hw):
    assert not write(size_hw, Caption('a rather long name', PURPLE, ((20, 10, 0.5),))).any()


def test_letters_grow_with_the_image_and_stay_readable():
    assert letter_height(120) == 8
    assert letter_height(1080) == 15
    small, large = (
        plate_of(write((size, 2 * size), Caption('car', PURPLE, ((size, size / 2, 0.5),))), PURPLE)
        for size in (480, 1440)
    )
    assert (large[3] - large[1]) / (small[3] - small[1]) == pytest.approx(2.5, rel=0.1)


@pytest.mark.parametrize(('color', 'is_dark'), [
    ((255, 230, 0), True), ((0, 255, 0), True), ((90, 0, 120), False), ((0, 0, 255), False),
])
def test_letters_stand_out_from_their_plate(color, is_dark):
    drawn = write((240, 320), Caption('HHHHH', color, ((160, 120, 0.5),)))
    x0, y0, x1, y1 = plate_of(drawn, color)
    weights = np.array([0.299, 0.587, 0.114])
    brightness = drawn[y0:y1, x0:x1] @ weights
    plate = np.array(color) @ weights
    contrast = plate - brightness.min() if is_dark else brightness.max() - plate
    assert contrast > 80
