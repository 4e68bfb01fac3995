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

"""The filter of all boxes against a textbook Kalman filter for each coordinate."""

import numpy as np
from seg_ros.temporal.motion import centre_size_from_xyxy, Motion


class Kalman:
    """Position and speed of one coordinate, with matrices."""

    def __init__(self, place, error, jerkiness):
        self.state = np.array([place, 0.0])
        self.covariance = np.diag([1.0, 1 / error ** 2])
        self.jerkiness = jerkiness

    def advance(self, seconds):
        moved = np.array([[1, seconds], [0, 1]])
        noise = self.jerkiness * np.array(
            [[seconds ** 3 / 3, seconds ** 2 / 2], [seconds ** 2 / 2, seconds]]
        )
        self.state = moved @ self.state
        self.covariance = moved @ self.covariance @ moved.T + noise

    def correct(self, place):
        seen = np.array([[1.0, 0.0]])
        gain = self.covariance @ seen.T / (seen @ self.covariance @ seen.T + 1)
        self.state = self.state + gain[:, 0] * (place - self.state[0])
        self.covariance = (np.eye(2) - gain @ seen) @ self.covariance


def boxes_around(centres, size=(20.0, 30.0)):
    half = np.array(size) / 2
    return np.concatenate([centres - half, centres + half], 1)


def test_places_are_those_of_a_textbook_filter_at_uneven_steps():
    random = np.random.RandomState(3)
    centres = random.uniform(50, 200, (3, 2))
    motion = Motion()
    motion.add(boxes_around(centres))
    filters = [[Kalman(place, 0.05, 30.0) for place in centre] for centre in centres]
    for seconds in random.uniform(0.01, 0.3, 25):
        motion.advance(seconds)
        centres = centres + 40 * seconds + random.normal(0, 1, (3, 2))
        seen = np.array([0, 2]) if random.uniform() < 0.5 else np.array([0, 1, 2])
        motion.correct(seen, boxes_around(centres[seen]))
        for row, pair in enumerate(filters):
            for place, each in zip(centres[row], pair, strict=True):
                each.advance(seconds)
                if row in seen:
                    each.correct(place)
        expected = [[each.state[0] for each in pair] for pair in filters]
        np.testing.assert_allclose(motion.centre_size[:, :2], expected, rtol=1e-9)


def test_a_box_that_is_not_seen_goes_on_and_keeps_its_size():
    motion = Motion()
    motion.add(boxes_around(np.array([[0.0, 50.0]])))
    for step in range(1, 20):
        motion.advance(0.1)
        motion.correct(np.array([0]), boxes_around(np.array([[5.0 * step, 50.0]])))
    motion.advance(1.0)
    np.testing.assert_allclose(motion.centre_size, [[145, 50, 20, 30]], atol=1)


def test_only_the_boxes_that_are_kept_go_on():
    motion = Motion()
    motion.add(boxes_around(np.array([[10.0, 10.0], [50.0, 50.0], [90.0, 90.0]])))
    motion.keep([2, 0])
    np.testing.assert_allclose(motion.centre_size[:, 0], [90, 10])
    np.testing.assert_allclose(centre_size_from_xyxy(motion.xyxy), motion.centre_size)
    motion.advance(0.1)
    motion.correct(np.array([0, 1]), boxes_around(np.array([[94.0, 90.0], [9.0, 10.0]])))
    motion.keep([1])
    seen = motion.centre_size[0].copy()
    motion.advance(1.0)
    moved = motion.centre_size[0] - seen
    np.testing.assert_allclose(moved[1:], 0, atol=1e-9)
    assert -10 < moved[0] < -5          # not 40, the speed of the other one
    motion.keep([])
    assert motion.xyxy.shape == (0, 4)
