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

"""A room with furniture and walking people, and a mobile base that has to cross it."""

from collections.abc import Sequence
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
import pybullet
from seg_ros.bench.loops.sensor import intrinsics_of, sensed, world_from_optical
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.registration import registered_depth
from seg_ros.sim.classes import FLOOR, PERSON, ROBOT
from seg_ros.sim.person import swing_limbs, upright
from seg_ros.sim.scene_renderer import SceneRenderer
from seg_ros.sim.scenes import make_scene
from seg_ros.sim.view import Light, Viewpoint
from seg_ros.sim.world import Body, LIMBO_M

SIZE_HW = (240, 320)
EYE_M = 0.9         # height of the camera
REACH_M = 5.0       # from the room's middle to the edges of the grid
BASE_RADIUS_M = 0.22
_PITCH = 0.35       # downward pitch of the camera, radians
_WALK_M_S = 0.35
_START = np.array([-1.7, -1.7])
_GOAL = np.array([1.7, 1.7])
_CLEARANCE_M = 0.2  # distance that people keep from the base


@dataclass(frozen=True, eq=False)
class Sight:
    """
    One observation of the base.

    :param metres: float32 (H, W), measured depth, NaN = none.
    :param pose: float64 (4, 4), from the optical frame to the room.
    :param pitch: downward pitch of the camera in radians.
    """

    frame: Frame
    metres: NDArray[np.float32]
    truth: Segmentation
    camera: Intrinsics
    pose: NDArray[np.float64]
    pitch: float


class Crossing:
    """
    A base that drives from one corner to the opposite one; call `close` after use.

    :param seed: selects the room.
    """

    goal = _GOAL

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(1000 + seed)
        self._renderer = SceneRenderer(self._random, 'held-out', SIZE_HW)
        self._world = self._renderer.world
        make_scene(self._world, self._renderer.assets, self._random, 'room')
        for body in self._world.bodies:
            if body.shown and (body.class_id in (PERSON, ROBOT) or self._in_the_way(body)):
                self._world.hide(body)
        self._walkers = self._renderer.assets.people[:2]
        client = self._world.client
        shape = client.createCollisionShape(
            pybullet.GEOM_CYLINDER, radius=BASE_RADIUS_M, height=0.5
        )
        self._base = client.createMultiBody(0, shape, -1, (0, 0, LIMBO_M))
        self.place, self.heading = _START.copy(), math.pi / 4
        self._walked_s, self._directions = [0.0, 0.0], [1, 1]
        for index in range(len(self._walkers)):
            self._pose_walker(index, 0.0)

    def _in_the_way(self, body: Body) -> bool:
        """Return whether a body blocks the start or the goal."""
        x, y, _ = self._world.position(body)
        return body.class_id != FLOOR and any(
            np.hypot(*(corner - (x, y))) < 0.8 for corner in (_START, _GOAL)
        )

    def close(self) -> None:
        """Release the world."""
        self._renderer.close()

    def look(self) -> Sight:
        """Return an image with depth."""
        x, y = self.place.tolist()
        ahead = math.cos(self.heading), math.sin(self.heading), -math.tan(_PITCH)
        eye = x, y, EYE_M
        view = Viewpoint(eye, (x + ahead[0], y + ahead[1], EYE_M + ahead[2]), fov_deg=58.0)
        rendered, truth = self._renderer.render(view, Light(shadow=False))
        depth = registered_depth(sensed(rendered.depth_m, self._random), SIZE_HW, 6.0)
        return Sight(
            Frame(rendered.rgb), depth.metres, truth, intrinsics_of(view, SIZE_HW),
            world_from_optical(view), _PITCH,
        )

    def advance(self, heading: float, speed_m_s: float, seconds: float) -> float:
        """Turn at most 1.5 rad/s and drive; return the driven distance in metres."""
        turn = (heading - self.heading + math.pi) % (2 * math.pi) - math.pi
        self.heading += float(np.clip(turn, -1.5 * seconds, 1.5 * seconds))
        if abs(turn) > 0.6:
            speed_m_s = 0.0
        gone = speed_m_s * seconds
        self.place += gone * np.array([math.cos(self.heading), math.sin(self.heading)])
        self._move_walkers(seconds)
        return gone

    def touches(self) -> bool:
        """Return whether the base touches anything but the floor."""
        return self._near(0.0, [
            body for body in self._world.bodies if body.shown and body.class_id != FLOOR
        ])

    def walkers_xy(self) -> NDArray[np.float64]:
        """Return the positions of the walkers, float64 (2, 2), metres."""
        return np.array([self._world.position(body)[:2] for body in self._walkers])

    def _near(self, gap_m: float, bodies: Sequence[Body]) -> bool:
        """Return whether any of the bodies is within `gap_m` of the base."""
        client = self._world.client
        x, y = self.place.tolist()
        client.resetBasePositionAndOrientation(self._base, (x, y, 0.3), (0, 0, 0, 1))
        near = any(client.getClosestPoints(self._base, body.number, gap_m) for body in bodies)
        client.resetBasePositionAndOrientation(self._base, (0, 0, LIMBO_M), (0, 0, 0, 1))
        return near

    def _move_walkers(self, seconds: float) -> None:
        """Move people to and fro across the base's way; they turn back before they touch it."""
        for index, body in enumerate(self._walkers):
            further_s = self._walked_s[index] + self._directions[index] * seconds
            self._pose_walker(index, further_s)
            if self._near(_CLEARANCE_M, [body]):
                self._directions[index] *= -1
                self._pose_walker(index, self._walked_s[index])
            else:
                self._walked_s[index] = further_s

    def _pose_walker(self, index: int, walked_s: float) -> None:
        """Set position and legs of a walker after walking for `walked_s`."""
        along = (_WALK_M_S * walked_s + 0.9 * index) % 4.8
        along = along - 1.2 if along < 2.4 else 3.6 - along
        middle = 0.9 * (index - 0.5)
        body = self._walkers[index]
        swing_limbs(self._world, body, 2 * math.pi * 0.6 * walked_s + index, arms=False)
        turn = upright(self._world, -math.pi / 4)
        self._world.stand(body, (middle + 0.7 * along, middle - 0.7 * along, 0.0), turn)
