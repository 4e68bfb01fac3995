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

"""The effects of a camera on a rendered image."""

import numpy as np
from seg_ros.sim.camera import add_camera_effects


def ramp() -> np.ndarray:
    """Grey from left to right."""
    return np.repeat(np.tile(np.arange(0, 160, 2, dtype=np.uint8), (60, 1))[..., None], 3, 2)


def test_dark_and_bright_worlds_are_exposed_alike():
    for dim in (1, 3):
        means = [
            add_camera_effects(ramp() // dim, np.random.default_rng(seed)).mean()
            for seed in range(40)
        ]
        assert 70 < np.mean(means) < 150
        assert np.std(means) > 8


def test_exposure_keeps_the_order_of_grey_levels():
    for seed in range(10):
        image = add_camera_effects(ramp(), np.random.default_rng(seed)).astype(float)
        profile = image.mean(axis=(0, 2))
        assert np.corrcoef(profile, np.arange(80))[0, 1] > 0.8


def test_a_camera_takes_the_same_image_again():
    one, other = (add_camera_effects(ramp(), np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one, other)
