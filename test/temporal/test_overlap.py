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

"""Overlaps against counted pixels."""

import numpy as np
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.temporal.overlap import box_overlap, coarse, mask_overlap, Outline


def counted(first, second, size=200):
    """Return the intersection over union of two integer boxes, by counting pixels."""
    inside = []
    for x0, y0, x1, y1 in (first, second):
        mask = np.zeros((size, size), bool)
        mask[y0:y1, x0:x1] = True
        inside.append(mask)
    return (inside[0] & inside[1]).sum() / (inside[0] | inside[1]).sum()


def random_boxes(random, count):
    corner = random.randint(40, 100, (count, 2))
    return np.concatenate([corner, corner + 10 * random.randint(1, 6, (count, 2))], 1)


def grown(box, tenths):
    x0, y0, x1, y1 = box
    across, along = (x1 - x0) * tenths // 10, (y1 - y0) * tenths // 10
    return x0 - across, y0 - along, x1 + across, y1 + along


def test_boxes_overlap_as_their_pixels_do_with_and_without_a_margin():
    random = np.random.RandomState(2)
    first, second = random_boxes(random, 5), random_boxes(random, 7)
    for tenths in (0, 4):
        expected = [[counted(grown(one, tenths), grown(two, tenths)) for two in second]
                    for one in first]
        found = box_overlap(first.astype(float), second.astype(float), tenths / 10)
        np.testing.assert_allclose(found, expected)


def scene(places, size_hw=(160, 200)):
    """Draw squares of 40 pixels with corners on the coarse map's grid."""
    instances = np.zeros(size_hw, np.uint16)
    segments = []
    for number, (x, y) in enumerate(places, 300):
        instances[y:y + 40, x:x + 40] = number
        segments.append(Segment(number, 0, 0.9, (x, y, x + 40, y + 40), 1600))
    return Segmentation(size_hw, instances=instances, segments=tuple(segments))


def overlap_of(before, now, centres):
    outlines = [Outline(coarse(before.instances), segment) for segment in before.segments]
    ids = [segment.id for segment in now.segments]
    return mask_overlap(outlines, np.array(centres, float), coarse(now.instances), ids)


def test_masks_are_compared_where_they_are_awaited():
    before, now = scene([(20, 20), (100, 60)]), scene([(40, 40), (120, 100)])
    moved = overlap_of(before, now, [(60, 60), (140, 120)])
    np.testing.assert_allclose(moved, np.eye(2))
    stayed = overlap_of(before, now, [(40, 40), (120, 80)])
    quarter = 400 / (3200 - 400)
    np.testing.assert_allclose(stayed, [[quarter, 0], [0, 0]])


def test_a_mask_that_has_left_the_image_overlaps_with_nothing():
    before = scene([(20, 20)])
    for centre in ((-500, 40), (40, -500), (900, 40), (40, 900)):
        assert not overlap_of(before, before, [centre]).any()
    half_out = overlap_of(before, scene([(0, 20)]), [(0, 40)])
    np.testing.assert_allclose(half_out, [[0.5]])


def test_an_instance_that_the_coarse_map_misses_overlaps_with_nothing():
    before, instances = scene([(20, 20)]), np.zeros((160, 200), np.uint16)
    instances[1:3, 1:3] = 7
    tiny = Segmentation((160, 200), instances=instances,
                        segments=(Segment(7, 0, 0.9, (1, 1, 3, 3), 4),))
    assert not overlap_of(before, tiny, [(40, 40)]).any()
    assert not overlap_of(tiny, before, [(2, 2)]).any()


def test_what_was_never_outlined_overlaps_with_nothing():
    now = scene([(20, 20)])
    assert not mask_overlap([None], np.zeros((1, 2)), coarse(now.instances), [300]).any()
    assert coarse(None) is None
