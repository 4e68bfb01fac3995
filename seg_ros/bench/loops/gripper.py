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

"""A free-flying gripper without an arm, so that only the grasp is tested."""

from math import atan2, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pybullet
from seg_ros.depth.grasp_candidates import Gripper
from seg_ros.sim.world import LIMBO_M, World

_SIZE = Gripper()
_FINGER_M = 0.09    # length of a finger
_LIFT_M = 0.15
_FORCE_N = 25.0
_STEPS = 120        # of 1/240 s for each motion


class SimulatedGripper:
    """Two fingers on prismatic joints below a palm that is moved by a constraint."""

    def __init__(self, world: World) -> None:
        self._client: Any = world.client
        half = (_SIZE.finger_m / 2, _SIZE.thickness_m / 2, _FINGER_M / 2)
        finger = self._client.createCollisionShape(pybullet.GEOM_BOX, halfExtents=half)
        palm = self._client.createCollisionShape(
            pybullet.GEOM_BOX, halfExtents=(0.02, 0.05, 0.01)
        )
        away = _SIZE.opening_m / 2 + _SIZE.thickness_m / 2
        self._body = self._client.createMultiBody(
            0.5, palm, -1, (0, 0, LIMBO_M), (0, 0, 0, 1),
            linkMasses=[0.1, 0.1], linkCollisionShapeIndices=[finger, finger],
            linkVisualShapeIndices=[-1, -1],
            linkPositions=[(0, away, -_FINGER_M / 2 - 0.01), (0, -away, -_FINGER_M / 2 - 0.01)],
            linkOrientations=[(0, 0, 0, 1)] * 2, linkInertialFramePositions=[(0, 0, 0)] * 2,
            linkInertialFrameOrientations=[(0, 0, 0, 1)] * 2, linkParentIndices=[0, 0],
            linkJointTypes=[pybullet.JOINT_PRISMATIC] * 2,
            linkJointAxis=[(0, -1, 0), (0, 1, 0)],
        )
        for link in (0, 1):
            self._client.changeDynamics(self._body, link, lateralFriction=1.0)
        self._constraint = self._client.createConstraint(
            self._body, -1, -1, -1, pybullet.JOINT_FIXED, (0, 0, 0), (0, 0, 0), (0, 0, LIMBO_M)
        )

    def park(self) -> None:
        """Move the gripper far away from the scene."""
        self._place(np.array([0.0, 0.0, LIMBO_M]), 0.0)
        self._client.changeConstraint(self._constraint, (0, 0, LIMBO_M), (0, 0, 0, 1), 500)

    def pick(self, tip: NDArray[np.float64], closing: NDArray[np.float64]) -> None:
        """
        Move straight down, close, and lift.

        :param tip: world position between the fingertips at the end of the downward motion.
        :param closing: world direction in which the fingers close.
        """
        yaw = atan2(closing[1], closing[0]) - pi / 2
        palm = tip + np.array([0, 0, _FINGER_M + 0.01])
        above = palm + np.array([0, 0, _LIFT_M])
        self._place(above, yaw)
        self._go(above, palm, yaw, 0.0)
        self._go(palm, palm, yaw, _FORCE_N)
        self._go(palm, above, yaw, _FORCE_N)
        self._go(above, above, yaw, _FORCE_N)

    def _place(self, palm: NDArray[np.float64], yaw: float) -> None:
        turn = self._client.getQuaternionFromEuler((0, 0, yaw))
        self._client.resetBasePositionAndOrientation(self._body, palm.tolist(), turn)
        self._client.resetBaseVelocity(self._body, (0, 0, 0), (0, 0, 0))
        for link in (0, 1):
            self._client.resetJointState(self._body, link, 0.0)

    def _go(
        self, start: NDArray[np.float64], end: NDArray[np.float64], yaw: float, force: float
    ) -> None:
        turn = self._client.getQuaternionFromEuler((0, 0, yaw))
        for step in range(_STEPS):
            place = start + (end - start) * (step + 1) / _STEPS
            self._client.changeConstraint(self._constraint, place.tolist(), turn, 500)
            for link in (0, 1):
                if force:
                    self._client.setJointMotorControl2(
                        self._body, link, pybullet.VELOCITY_CONTROL,
                        targetVelocity=0.15, force=force,
                    )
                else:
                    self._client.setJointMotorControl2(
                        self._body, link, pybullet.POSITION_CONTROL, targetPosition=0.0, force=50
                    )
            self._client.stepSimulation()
