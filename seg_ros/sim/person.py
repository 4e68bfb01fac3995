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

"""Poses of the human figure."""

from collections.abc import Sequence
import math

from seg_ros.sim.world import Body, World

_SWING = 0.45       # amplitude of the limbs, radians


def upright(world: World, yaw: float) -> Sequence[float]:
    """Return the quaternion x, y, z, w of a figure that stands; its own y axis points up."""
    orientation: Sequence[float] = world.client.getQuaternionFromEuler((math.pi / 2, 0.0, yaw))
    return orientation


def swing_limbs(world: World, body: Body, phase: float, arms: bool = True) -> None:
    """
    Bend legs and arms as in walking.

    :param phase: radians, 2 pi for two steps.
    """
    swing = _SWING * math.sin(phase)
    angles = {'right_hip': swing, 'left_hip': -swing}
    if arms:
        angles |= {'right_shoulder': -swing, 'left_shoulder': swing}
    world.bend(body, angles)
