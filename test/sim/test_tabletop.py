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

"""The demo's world and its truth."""

import numpy as np
from seg_ros.sim.tabletop import Tabletop


def test_the_truth_marks_six_objects_that_never_touch():
    world = Tabletop()
    for time_s in (0.0, 1.3, 7.9):
        _, truth = world.image(time_s)
        assert set(np.unique(truth)) == set(range(7))
        padded = np.pad(truth, 1)
        for dy, dx in ((0, 1), (1, 0)):
            near = np.roll(padded, (dy, dx), (0, 1))
            both = (padded > 0) & (near > 0)
            assert (padded[both] == near[both]).all()


def test_objects_differ_from_the_table_where_the_truth_says_so():
    image, truth = Tabletop().image(2.0)
    empty = np.median(image[truth == 0], axis=0)
    for number in range(1, 7):
        inside = np.median(image[truth == number].astype(int), axis=0)
        assert np.abs(inside - empty).max() > 50


def test_the_same_moment_gives_the_same_image_and_another_a_different_one():
    first, same, other = Tabletop(), Tabletop(), Tabletop()
    assert np.array_equal(first.image(1.0)[0], same.image(1.0)[0])
    assert not np.array_equal(first.image(1.0)[0], other.image(2.0)[0])
