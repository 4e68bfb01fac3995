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

"""Images, depth and poses of a camera that moves in a room with walking people."""

from collections.abc import Iterator
from dataclasses import dataclass
import math

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.bench.loops.sensor import intrinsics_of, sensed, world_from_optical
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.segmentation import Segmentation
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.sim.classes import PERSON, ROBOT
from seg_ros.sim.person import swing_limbs, upright
from seg_ros.sim.scene_renderer import SceneRenderer
from seg_ros.sim.scenes import make_scene
from seg_ros.sim.view import Light, RenderedView, Viewpoint
from seg_ros.sim.world import Body

SIZE_HW = (360, 480)
RATE_HZ = 30.0
_FOV_DEG = 58.0
_EYE_M = 1.1
_GRAIN_M = 0.06     # size of the grain on walls
_CLOTHES_SCALE = 2.5    # the grain on people is finer by this factor


@dataclass(frozen=True, eq=False)
class Exposure:
    """
    One image of a sequence.

    :param depth_mm: uint16 (H, W), registered, as measured by the camera.
    :param pose: float64 (4, 4), from the optical frame to the world.
    """

    frame: Frame
    depth_mm: NDArray[np.uint16]
    truth: Segmentation
    pose: NDArray[np.float64]


class WalkedRoom:
    """
    A room without robots where people walk to and fro in front of the camera.

    Call `close` after use.

    :param seed: selects the room.
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._renderer = SceneRenderer(self._random, 'held-out', SIZE_HW)
        self._world = self._renderer.world
        make_scene(self._world, self._renderer.assets, self._random, 'room')
        for body in self._world.bodies:
            if body.shown and body.class_id in (PERSON, ROBOT):
                self._world.hide(body)
        self._walkers = self._renderer.assets.people[:2]
        self._start = np.array(self._random.uniform((-0.6, -0.6), (0.2, 0.2)))
        self._heading = float(self._random.uniform(-0.3, 0.3))
        self._grain = self._random.uniform(0.7, 1.3, 4093).astype(np.float32)

    def close(self) -> None:
        """Release the world."""
        self._renderer.close()

    @property
    def camera(self) -> Intrinsics:
        """Return the camera of all images."""
        return intrinsics_of(self._view(0.0), SIZE_HW)

    def exposures(self, count: int) -> Iterator[Exposure]:
        """Yield `count` images."""
        for number in range(count):
            time_s = number / RATE_HZ
            for index, walker in enumerate(self._walkers):
                self._walk(walker, index, time_s)
            view = self._view(time_s)
            rendered, truth = self._renderer.render(view, Light(shadow=False))
            pose = world_from_optical(view)
            rgb = self._grained(rendered, pose)
            frame = Frame(rgb, 'rgb', round(1e9 * time_s) + 10 ** 9, 'camera')
            yield Exposure(frame, sensed(rendered.depth_m, self._random), truth, pose)

    def _grained(self, rendered: RenderedView, pose: NDArray[np.float64]) -> Pixels:
        """
        Add grain to all surfaces, fixed to the world or to the walker.

        The simulator's walls are plain and have too few features for visual odometry.
        """
        across, down = self.camera.slopes_xy
        z = rendered.depth_m
        points = np.stack([z * across, z * down, z], axis=-1) @ pose[:3, :3].T + pose[:3, 3]
        for walker in self._walkers:
            own = rendered.bodies == walker.number
            points[own] = _CLOTHES_SCALE * (points[own] - self._world.position(walker))
        # The offset keeps walls on the boundary of two cells from flickering between them.
        cells = np.floor(points / _GRAIN_M + 0.37).astype(np.int64)
        hashed = (cells @ (73856093, 19349663, 83492791)) % len(self._grain)
        shade = cv2.GaussianBlur(self._grain[hashed], (3, 3), 0.7)
        return np.asarray(np.clip(rendered.rgb * shade[..., None], 0, 255), np.uint8)

    def _view(self, time_s: float) -> Viewpoint:
        """Sway like a robot that looks around."""
        side, rise = 0.4 * math.sin(0.7 * time_s), 0.05 * math.sin(time_s)
        ahead = 0.2 * math.sin(0.5 * time_s)
        cos, sin = math.cos(self._heading), math.sin(self._heading)
        x = self._start[0] + ahead * cos - side * sin
        y = self._start[1] + ahead * sin + side * cos
        eye = float(x), float(y), _EYE_M + rise
        turn = self._heading + 0.12 * math.sin(0.6 * time_s)
        target = eye[0] + math.cos(turn), eye[1] + math.sin(turn), eye[2] - 0.12
        return Viewpoint(eye, target, fov_deg=_FOV_DEG)

    def _walk(self, body: Body, index: int, time_s: float) -> None:
        """Cross the view at 1 m/s, one person nearer than the other."""
        away, reach = 0.8 + 0.45 * index, 0.9
        along = (-1) ** index * (time_s - 1.4 - 0.5 * index)
        along = (along + reach) % (4 * reach) - reach
        along = along if along < reach else 2 * reach - along
        cos, sin = math.cos(self._heading), math.sin(self._heading)
        x = float(self._start[0]) + away * cos - along * sin
        y = float(self._start[1]) + away * sin + along * cos
        swing_limbs(self._world, body, 2 * math.pi * 0.9 * time_s + index)
        turn = upright(self._world, self._heading + math.pi / 2)
        self._world.stand(body, (x, y, 0.0), turn)
