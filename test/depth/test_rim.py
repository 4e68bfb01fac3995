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

"""The rim that erosion removes from a box, against a ray-cast box."""

import numpy as np
import pytest
from ray_cast import Box, Scene
from seg_ros.depth.interior import instance_interiors
from seg_ros.depth.rim import Rim

EROSION_PX, FOCAL = 6, 600.0


def taken_and_restored(pitch, direction, height):
    """Return what erosion removes from both ends of a box 1 m away, and what its rim restores."""
    eye = (-np.cos(pitch), 0.0, np.sin(pitch) + height)
    scene = Scene([Box(0, 0, (0.2, 0.2, height))], eye=eye, pitch=pitch, size_hw=(480, 640),
                  focal=FOCAL)
    whole = scene.ids > 0
    left = instance_interiors(scene.ids, EROSION_PX)
    low, high = (
        np.quantile(scene.lifted()[mask][:, :2] @ direction, (0, 1)) for mask in (whole, left)
    )
    view = scene.rotation @ (0, 0, 1.0)
    rim = Rim.of(view, np.float64(height), np.float64(EROSION_PX / FOCAL))
    return (high[0] - low[0], low[1] - high[1]), rim.ends_m(np.array(direction))


@pytest.mark.parametrize('pitch', [0.9, 1.25, np.pi / 2])
@pytest.mark.parametrize('direction', [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0)])
def test_a_rim_is_what_erosion_took_off_a_plate(pitch, direction):
    taken, restored = taken_and_restored(pitch, direction, 0.002)
    np.testing.assert_allclose(restored, taken, rtol=0.2)


@pytest.mark.parametrize('direction', [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0)])
def test_erosion_takes_from_the_front_before_the_top(direction):
    taken, restored = taken_and_restored(0.9, direction, 0.1)
    np.testing.assert_allclose(restored, taken, rtol=0.2, atol=0.002)
    assert min(restored) == 0 or direction[0] == 0
