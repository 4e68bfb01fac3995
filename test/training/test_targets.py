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

"""Targets of training: which cells point to a centre, and which count more or not at all."""

import numpy as np
from seg_ros.training.sample import OTHER, TrainingSample, VOID
from seg_ros.training.targets import make_targets

THINGS = np.array([False, False, False, True])


def targets_of(classes, instances, complete=(False,) * 4):
    rgb = np.zeros((*classes.shape, 3), np.uint8)
    return make_targets(TrainingSample(rgb, classes, instances, np.array(complete)), THINGS, 4)


def two_boxes() -> tuple[np.ndarray, np.ndarray]:
    classes = np.zeros((64, 96), np.uint8)
    instances = np.zeros((64, 96), np.uint8)
    instances[8:24, 12:36] = 1
    instances[30:50, 50:90] = 7
    classes[instances > 0] = 3
    return classes, instances


def test_every_cell_of_a_thing_points_to_its_centre():
    targets = targets_of(*two_boxes())
    rows, columns = np.mgrid[:16, :24] + 0.5
    for number, (y, x) in {1: (16, 24), 7: (40, 70)}.items():
        cells = two_boxes()[1][2::4, 2::4] == number
        assert np.allclose((rows + targets.offsets[0])[cells], y / 4)
        assert np.allclose((columns + targets.offsets[1])[cells], x / 4)
        assert (targets.offset_weights[cells] > 0).all()


def test_centres_are_one_where_things_have_their_middle():
    targets = targets_of(*two_boxes())
    assert targets.centers[4, 6] == 1
    assert targets.centers[10, 17] == 1
    assert np.count_nonzero(targets.centers == 1) == 2
    assert targets.centers[15, 0] == 0


def test_cells_without_a_thing_are_not_asked_for_an_offset():
    targets = targets_of(*two_boxes())
    cells = two_boxes()[1][2::4, 2::4] == 0
    assert not targets.offset_weights[cells].any()


def test_a_rest_of_few_pixels_is_not_a_thing():
    instances = np.zeros((32, 32), np.uint8)
    instances[:4, :5] = 2
    targets = targets_of(np.zeros((32, 32), np.uint8), instances)
    assert not targets.centers.any()
    assert not targets.offset_weights.any()


def test_a_thing_at_the_rim_has_its_centre_inside():
    instances = np.zeros((32, 32), np.uint8)
    instances[:, 31:] = 1
    targets = targets_of(np.zeros((32, 32), np.uint8), instances)
    assert targets.centers[:, 7].max() == 1


def test_the_class_of_a_small_thing_is_weighted_more():
    instances = np.zeros((128, 128), np.uint8)
    instances[:5, :5], instances[10:30, 10:40], instances[64:, 64:] = 1, 2, 9
    weights = targets_of(np.zeros((128, 128), np.uint8), instances).pixel_weights
    assert set(weights[instances == 0]) == {1}
    assert set(weights[instances == 9]) == {1}
    assert np.allclose(weights[instances == 2], np.sqrt(1200 / 600))
    assert set(weights[instances == 1]) == {2.5}


def test_centres_are_asked_for_where_things_are_known():
    classes, instances = two_boxes()
    assert targets_of(classes, instances).center_mask.all()
    classes[:, 60:] = VOID
    known = targets_of(classes, instances).center_mask
    assert known[:, :12].all()
    assert not known[0, 16:].any()
    classes[classes == VOID] = OTHER
    assert targets_of(classes, instances, (False, False, False, True)).center_mask.all()
    assert not targets_of(classes, instances, (True, False, False, False)).center_mask.all()
