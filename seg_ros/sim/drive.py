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

"""A room through which people, robots and the base with the camera move."""

from dataclasses import dataclass
import math

import numpy as np
from seg_ros.core.segmentation import Segmentation
from seg_ros.sim.classes import PERSON
from seg_ros.sim.person import swing_limbs, upright
from seg_ros.sim.scene_renderer import SceneRenderer
from seg_ros.sim.scenes import make_scene
from seg_ros.sim.textures import Split
from seg_ros.sim.view import Light, RenderedView, Viewpoint
from seg_ros.sim.world import Body, STEP_S, World

CAMERA_M = 0.7      # height of the camera above the floor
_PITCH = -0.18      # of the camera, radians
_CLEAR_M = 1.3      # wanderers turn when an obstacle is closer


@dataclass(eq=False)
class Wanderer:
    """
    A robot or person that moves straight ahead and turns when its way is blocked.

    :param heading: radians from the x axis.
    :param body: None for the camera's base, which is invisible.
    """

    x: float
    y: float
    heading: float
    speed_m_s: float
    body: Body | None = None
    turn_rad_s: float = 0.0

    def advance(self, world: World, step_s: float) -> None:
        """Move for one time step."""
        free = {side: _free_m(world, self, side) for side in (-0.5, 0.0, 0.5)}
        if min(free.values()) < _CLEAR_M:
            # Keep turning to the same side; alternating would get it stuck in corners.
            wider = 1.0 if free[0.5] > free[-0.5] else -1.0
            self.turn_rad_s = self.turn_rad_s or wider
        else:
            self.turn_rad_s = 0.0
        self.heading += self.turn_rad_s * step_s
        ahead = self.speed_m_s * step_s * min(1.0, max(0.0, free[0.0] / _CLEAR_M - 0.35))
        self.x += ahead * math.cos(self.heading)
        self.y += ahead * math.sin(self.heading)


class DrivenRoom:
    """
    A simulated room seen from a base that drives through it; call `close` after use.

    :param seed: selects the room.
    """

    fov_deg = 58.0

    def __init__(
        self, seed: int = 0, split: Split = 'train', size_hw: tuple[int, int] = (480, 640)
    ) -> None:
        random = np.random.default_rng(seed)
        self._renderer = SceneRenderer(random, split, size_hw)
        self._world, assets = self._renderer.world, self._renderer.assets
        make_scene(self._world, assets, random, 'room')
        moving = [body for body in (*assets.people, *assets.rovers) if body.shown]
        self._wanderers = [self._wanderer(body, random) for body in moving]
        self.base = Wanderer(0.9, -0.9, random.uniform(0, 6.28), 0.5)
        self._time_s = 0.0

    def close(self) -> None:
        """Release the world."""
        self._renderer.close()

    def advance(self, seconds: float) -> None:
        """Advance the physics, the base and everything that moves."""
        self._world.settle(round(seconds / STEP_S))
        self._time_s += seconds
        self.base.advance(self._world, seconds)
        for wanderer in self._wanderers:
            wanderer.advance(self._world, seconds)
            self._carry(wanderer)

    def render(self) -> tuple[RenderedView, Segmentation]:
        """Return an image from the base and its ground truth."""
        base = self.base
        eye = base.x, base.y, CAMERA_M
        ahead = math.cos(base.heading), math.sin(base.heading), math.tan(_PITCH)
        target = eye[0] + ahead[0], eye[1] + ahead[1], eye[2] + ahead[2]
        return self._renderer.render(Viewpoint(eye, target, fov_deg=self.fov_deg), Light())

    def _wanderer(self, body: Body, random: np.random.Generator) -> Wanderer:
        x, y, _ = self._world.position(body)
        speed = random.uniform(0.4, 0.9) if body.class_id == PERSON else random.uniform(0.2, 0.5)
        return Wanderer(x, y, random.uniform(0, 6.28), speed, body)

    def _carry(self, wanderer: Wanderer) -> None:
        """Move a wanderer's body to its position; a person's arms and legs swing."""
        body = wanderer.body
        if body is None:
            return
        if body.class_id == PERSON:
            swing_limbs(self._world, body, 2 * math.pi * 0.9 * self._time_s)
            orientation = upright(self._world, wanderer.heading)
        else:
            orientation = self._world.client.getQuaternionFromEuler((0.0, 0.0, wanderer.heading))
        position = wanderer.x, wanderer.y, self._world.position(body)[2]
        self._world.show(body, position, orientation)


def _free_m(world: World, wanderer: Wanderer, side: float) -> float:
    """Return the distance to the next obstacle `side` radians off the heading, at most 3 m."""
    angle = wanderer.heading + side
    start, reach = 0.35, 3.0
    points = [
        (wanderer.x + r * math.cos(angle), wanderer.y + r * math.sin(angle), 0.35)
        for r in (start, reach)
    ]
    number, _, fraction, *_ = world.client.rayTest(*points)[0]
    own = wanderer.body is not None and number == wanderer.body.number
    return reach if number < 0 or own else start + fraction * (reach - start)
