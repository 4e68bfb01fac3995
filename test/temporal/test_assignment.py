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

"""Pairs are disjoint, and in realistic crowds no other pairing has a larger sum."""

from itertools import permutations

import numpy as np
import pytest
from seg_ros.temporal.assignment import assign
from seg_ros.temporal.overlap import box_overlap

PAIRINGS = np.array(list(permutations(range(7))))


def best_sum(affinity):
    """Return the best sum over all pairings of seven with seven."""
    return affinity[np.arange(7), PAIRINGS].sum(1).max()


def square_boxes(corners):
    return np.concatenate([corners, corners + 20], 1)


def sum_of(affinity, pairs):
    return sum(affinity[row, column] for row, column in pairs)


@pytest.mark.parametrize('shape', [(0, 0), (0, 3), (3, 0)])
def test_where_one_side_is_empty_there_are_no_pairs(shape):
    assert assign(np.zeros(shape), 0.1) == []


def test_the_best_pair_is_given_up_where_two_others_are_worth_more():
    affinity = np.array([[0.9, 0.8], [0.8, 0.0]])
    assert sorted(assign(affinity, 0.1)) == [(0, 1), (1, 0)]


def test_no_pair_is_worth_less_than_the_least():
    affinity = np.array([[0.5, 0.09], [0.0, 0.09]])
    assert assign(affinity, 0.1) == [(0, 0)]
    assert assign(affinity, 0.09) == [(0, 0), (1, 1)]


def test_in_a_crowd_that_moves_on_no_pairing_has_a_larger_sum():
    random = np.random.RandomState(4)
    for _ in range(100):
        before = random.uniform(0, 60, (7, 2))
        now = random.permutation(before) + random.normal(0, 4, (7, 2))
        affinity = box_overlap(square_boxes(before), square_boxes(now), 0.4)
        affinity *= random.uniform(size=7) < 0.8
        pairs = assign(affinity, 0.1)
        assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
        best = best_sum(np.where(affinity >= 0.1, affinity, 0))
        assert sum_of(affinity, pairs) == pytest.approx(best)


def test_what_has_no_rival_is_paired_as_it_is():
    order = np.random.RandomState(1).permutation(30)
    affinity = np.zeros((30, 30))
    affinity[np.arange(30), order] = 0.3
    assert dict(assign(affinity, 0.1)) == dict(enumerate(order.tolist()))
