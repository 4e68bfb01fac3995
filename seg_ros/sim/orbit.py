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

"""A table or a bin with clutter, seen from a camera that orbits it."""

import math
from typing import Literal

import numpy as np
from seg_ros.core.segmentation import Segmentation
from seg_ros.sim.classes import OBJECT
from seg_ros.sim.scene_renderer import SceneRenderer
from seg_ros.sim.scenes import make_scene
from seg_ros.sim.textures import Split
from seg_ros.sim.view import FOV_DEG, Light, RenderedView, Viewpoint
from seg_ros.sim.world import STEP_S

_TURN_RAD_S = 0.25
_DISTANCE_M = 0.95
_RISE = 0.75        # mean elevation of the camera, radians
_SWING = 0.2        # amplitude of the elevation, radians


class OrbitedTable:
    """
    A heap of objects under gravity and a camera that orbits it; call `close` after use.

    :param seed: selects the scene.
    """

    fov_deg = FOV_DEG

    def __init__(
        self, seed: int = 0, split: Split = 'train', size_hw: tuple[int, int] = (480, 640),
        kind: Literal['bin', 'table'] = 'table',
    ) -> None:
        random = np.random.default_rng(seed)
        self._renderer = SceneRenderer(random, split, size_hw)
        world = self._renderer.world
        make_scene(world, self._renderer.assets, random, kind)
        heap = [
            world.position(body) for body in world.bodies if body.shown and body.class_id == OBJECT
        ]
        self._target = np.median(heap, axis=0)
        self._start = random.uniform(0, 2 * math.pi)
        self._time_s = 0.0

    def close(self) -> None:
        """Release the world."""
        self._renderer.close()

    def advance(self, seconds: float) -> None:
        """Advance the physics and the camera."""
        self._renderer.world.settle(round(seconds / STEP_S))
        self._time_s += seconds

    @property
    def view(self) -> Viewpoint:
        """Return the camera's current viewpoint."""
        spin = self._start + _TURN_RAD_S * self._time_s
        rise = _RISE + _SWING * math.sin(0.6 * self._time_s)
        flat, height = _DISTANCE_M * math.cos(rise), _DISTANCE_M * math.sin(rise)
        x, y, z = self._target.tolist()
        eye = x + flat * math.cos(spin), y + flat * math.sin(spin), z + height
        return Viewpoint(eye, (x, y, z))

    def render(self) -> tuple[RenderedView, Segmentation]:
        """Return an image and its ground truth."""
        return self._renderer.render(self.view, Light())
