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

"""Rendered images and their truth."""

import numpy as np
from pybullet_world import samples, SIZE_HW
from seg_ros.sim.classes import CARD, SUPPORT
from seg_ros.sim.ground_truth import crowded


def test_a_world_is_the_same_whenever_it_is_drawn():
    first = samples(3, 0, 'train')
    # The fewer scenes are the first of the more.
    again = samples(3, 0, 'train', 1)
    assert again
    for one, other in zip(first, again, strict=False):
        assert np.array_equal(one.rgb, other.rgb)
        assert np.array_equal(one.ground_truth.panoptic(), other.ground_truth.panoptic())


def test_worlds_splits_and_seeds_have_nothing_in_common():
    drawn = [samples(3, 0, 'train'), samples(3, 1, 'train', 1), samples(3, 0, 'held-out', 1)]
    assert len({each[0].rgb.tobytes() for each in drawn}) == 3


def test_truth_is_whole_and_within_the_card():
    for sample in samples(3, 0, 'train'):
        sample.ground_truth.verify()
        assert sample.rgb.shape == (*SIZE_HW, 3)
        assert sample.ground_truth.size_hw == SIZE_HW
        assert set(np.unique(sample.ground_truth.classes)) <= {*CARD.by_id, CARD.unlabelled}
        things = {item.id for item in CARD.classes if item.thing}
        assert {segment.class_id for segment in sample.ground_truth.segments} <= things


def test_depth_is_that_of_the_room():
    for sample in samples(3, 0, 'train'):
        labelled = sample.ground_truth.classes != CARD.unlabelled
        assert sample.depth_mm[labelled].min() >= 50
        assert sample.depth_mm[labelled].max() < 14000


def test_scenes_are_cluttered():
    counts = [crowded(sample.ground_truth) for sample in samples(3, 0, 'train')]
    assert np.median(counts) >= 3


def test_a_bench_shows_little_of_the_top_of_its_table_and_objects_apart():
    bench, bins = (
        [sample.ground_truth for sample in samples(3, 0, 'train', 6, kind)]
        for kind in ('bench', 'bin')
    )
    supports = [
        np.mean([(truth.classes == SUPPORT).mean() for truth in truths])
        for truths in (bench, bins)
    ]
    touching = [
        np.mean([crowded(truth) / len(truth.segments) for truth in truths])
        for truths in (bench, bins)
    ]
    assert supports[0] < supports[1]
    assert touching[0] < touching[1]
