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

"""A simulated RGB-D camera: geometry, and depth with realistic noise."""

from math import radians, tan

import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.sim.view import Viewpoint


def intrinsics_of(view: Viewpoint, size_hw: tuple[int, int]) -> Intrinsics:
    """Return the intrinsics of a rendered image from the view's vertical field of view."""
    height, width = size_hw
    focal = height / 2 / tan(radians(view.fov_deg) / 2)
    return Intrinsics(focal, focal, width / 2 - 0.5, height / 2 - 0.5, size_hw)


def world_from_optical(view: Viewpoint) -> NDArray[np.float64]:
    """Return the transform from the optical frame of a view to the world, float64 (4, 4)."""
    eye, target, up = (np.array(vector, float) for vector in (view.eye, view.target, view.up))
    ahead = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(ahead, up)
    right /= np.linalg.norm(right)
    transform = np.eye(4)
    transform[:3, :3] = np.stack([right, np.cross(ahead, right), ahead], axis=1)
    transform[:3, 3] = eye
    return transform


def sensed(depth_m: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.uint16]:
    """
    Add the noise of a structured-light camera to depth.

    It grows with the square of the distance (Nguyen, Izadi and Lovell 2012, equation 3).

    :returns: uint16 millimetres, 0 beyond 10 m.
    """
    sigma = 0.0012 + 0.0019 * (depth_m - 0.4) ** 2
    noisy = 1000 * (depth_m + sigma * random.standard_normal(depth_m.shape, np.float32))
    return np.where(depth_m < 10, np.clip(noisy, 0, 65535), 0).astype(np.uint16)
