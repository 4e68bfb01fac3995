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

"""Viewpoint of a camera, light of a scene, and the rendered result."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels

FOV_DEG = 50.0


@dataclass(frozen=True)
class Viewpoint:
    """
    Pose and field of view of a camera.

    :param eye: position in the world, metres.
    :param target: a point on the optical axis.
    :param up: direction of the image's top.
    :param fov_deg: vertical field of view.
    """

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)
    fov_deg: float = FOV_DEG


@dataclass(frozen=True)
class Light:
    """
    A lamp and ambient light.

    :param direction: from the scene to the lamp.
    :param color: red, green, blue, 0 to 1.
    """

    direction: tuple[float, float, float] = (1.0, 1.0, 3.0)
    color: tuple[float, float, float] = (1.0, 1.0, 1.0)
    distance_m: float = 4.0
    ambient: float = 0.6
    diffuse: float = 0.6
    specular: float = 0.1
    shadow: bool = True


@dataclass(frozen=True, eq=False)
class RenderedView:
    """
    A rendered view.

    :param rgb: uint8 (H, W, 3).
    :param depth_m: float32 (H, W), along the optical axis.
    :param bodies: int32 (H, W), body numbers, -1 where there is no body.
    """

    rgb: Pixels
    depth_m: NDArray[np.float32]
    bodies: NDArray[np.int32]
