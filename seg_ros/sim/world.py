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

"""A physical world whose bodies are loaded once and then moved, hidden and repainted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
import pybullet
import pybullet_data
from pybullet_utils.bullet_client import BulletClient
from seg_ros.core.frame import Pixels

Vector: TypeAlias = tuple[float, float, float]
Shape: TypeAlias = Literal['box', 'cylinder', 'sphere']
LIMBO_M = -80.0     # hidden bodies wait far below
_ASLEEP = pybullet.ACTIVATION_STATE_ENABLE_SLEEPING | pybullet.ACTIVATION_STATE_SLEEP


@dataclass(frozen=True)
class Part:
    """
    A primitive of a compound body.

    :param half: half extents of a box; radius, radius and half height of a cylinder; radius of a
        sphere three times.
    :param at: its centre in the body's frame, metres.
    """

    half: Vector
    at: Vector = (0.0, 0.0, 0.0)
    shape: Shape = 'box'


@dataclass(eq=False)
class Body:
    """
    Something in the pool.

    :param number: PyBullet's.
    :param mass: in kilograms while it is shown; 0 stays where it is put.
    :param looks: how its links were coloured when it was loaded: link, red, green, blue, alpha.
    """

    number: int
    class_id: int
    mass: float
    looks: tuple[tuple[int, tuple[float, ...]], ...]
    kind: str = ''
    shown: bool = field(default=False)


class World:
    """A PyBullet world with a pool of bodies; whoever opens it closes it."""

    def __init__(self) -> None:
        self.client: Any = BulletClient(pybullet.DIRECT)
        self.bodies: list[Body] = []
        self._data = Path(pybullet_data.getDataPath())
        self._files = TemporaryDirectory(prefix='seg_ros_')
        self._textures = 0
        self.client.setGravity(0, 0, -9.8)
        self.client.setPhysicsEngineParameter(numSolverIterations=20)

    def close(self) -> None:
        """Give the world back."""
        self.client.disconnect()
        self._files.cleanup()

    def texture(self, image: Pixels) -> int:
        """Load a texture, rgb; returns its number. Load all before the first image is drawn."""
        path = Path(self._files.name) / f'{self._textures}.png'
        self._textures += 1
        cv2.imwrite(str(path), image[..., ::-1])
        return int(self.client.loadTexture(str(path)))

    def load(self, urdf: str, class_id: int, scale: float = 1.0, fixed: bool = False) -> Body:
        """Load a body of PyBullet's data and hide it."""
        number = self.client.loadURDF(
            str(self._data / urdf), [0, 0, LIMBO_M], globalScaling=scale, useFixedBase=fixed
        )
        mass = 0.0 if fixed else float(self.client.getDynamicsInfo(number, -1)[0])
        if fixed:
            # Twenty times faster steps: joints that nobody drives need no solving.
            self.client.changeDynamics(number, -1, activationState=_ASLEEP)
        return self._pool(number, class_id, mass, Path(urdf).stem)

    def build(self, parts: Sequence[Part], class_id: int, mass: float = 0.0) -> Body:
        """Make a body of primitives and hide it."""
        columns = {
            'shapeTypes': [_SHAPES[part.shape] for part in parts],
            'halfExtents': [part.half for part in parts],
            'radii': [part.half[0] for part in parts],
        }
        heights = [2 * part.half[2] for part in parts]
        places = [part.at for part in parts]
        visual = self.client.createVisualShapeArray(
            **columns, lengths=heights, visualFramePositions=places
        )
        solid = self.client.createCollisionShapeArray(
            **columns, lengths=heights, collisionFramePositions=places
        )
        number = self.client.createMultiBody(mass, solid, visual, [0, 0, LIMBO_M])
        return self._pool(number, class_id, mass, 'built')

    def _pool(self, number: int, class_id: int, mass: float, kind: str) -> Body:
        shapes = self.client.getVisualShapeData(number)
        looks = tuple((int(row[1]), tuple(row[7])) for row in shapes)
        body = Body(number, class_id, mass, looks, kind)
        self.bodies.append(body)
        self.hide(body)
        return body

    def hide(self, body: Body) -> None:
        """Put a body where no camera looks and nothing touches it."""
        if body.mass:
            self.client.changeDynamics(body.number, -1, mass=0)
        self.client.resetBasePositionAndOrientation(
            body.number, [5.0 * body.number, 0, LIMBO_M], [0, 0, 0, 1]
        )
        body.shown = False

    def show(self, body: Body, at: Vector, turn: Sequence[float] = (0, 0, 0, 1)) -> None:
        """
        Put a body into the scene at rest.

        :param turn: quaternion x, y, z, w.
        """
        if body.mass:
            self.client.changeDynamics(
                body.number, -1, mass=body.mass,
                activationState=pybullet.ACTIVATION_STATE_WAKE_UP,
            )
        self.client.resetBasePositionAndOrientation(body.number, at, turn)
        self.client.resetBaseVelocity(body.number, [0, 0, 0], [0, 0, 0])
        body.shown = True

    def stand(self, body: Body, at: Vector, turn: Sequence[float] = (0, 0, 0, 1)) -> None:
        """Show a body so that its lowest point is at the height of `at`."""
        self.show(body, at, turn)
        low = min(
            self.client.getAABB(body.number, link)[0][2]
            for link in range(-1, self.client.getNumJoints(body.number))
        )
        self.show(body, (at[0], at[1], 2 * at[2] - low), turn)

    def clear(self) -> None:
        """Hide everything."""
        for body in self.bodies:
            if body.shown:
                self.hide(body)

    def place(self, body: Body) -> Vector:
        """Return where a body is."""
        x, y, z = self.client.getBasePositionAndOrientation(body.number)[0]
        return float(x), float(y), float(z)

    def settle(self, steps: int) -> None:
        """Let things fall, 1/240 s a step."""
        for _ in range(steps):
            self.client.stepSimulation()

    def paint(
        self, body: Body, rgb: Iterable[float], texture: int = -1, links: Sequence[int] = ()
    ) -> None:
        """
        Colour a body.

        :param rgb: 0 to 1, which a texture is multiplied with.
        :param texture: -1 takes textures off.
        :param links: those to paint, all if empty.
        """
        rgba = [*rgb, 1.0]
        for link in links or sorted({link for link, _ in body.looks}):
            self.client.changeVisualShape(
                body.number, link, textureUniqueId=texture, rgbaColor=rgba
            )

    def unpaint(self, body: Body) -> None:
        """Give a body the colours that it was loaded with."""
        for link, rgba in body.looks:
            self.client.changeVisualShape(body.number, link, rgbaColor=rgba)

    def pose(self, body: Body, random: np.random.Generator, spread: float) -> None:
        """Bend all joints at random within their limits, at most `spread` radians."""
        for joint in range(self.client.getNumJoints(body.number)):
            facts = self.client.getJointInfo(body.number, joint)
            if facts[2] == pybullet.JOINT_REVOLUTE:
                low, high = facts[8:10] if facts[8] < facts[9] else (-np.pi, np.pi)
                angle = np.clip(random.uniform(-spread, spread), low, high)
                self.client.resetJointState(body.number, joint, angle)
            elif facts[2] == pybullet.JOINT_SPHERICAL:
                bend = self.client.getQuaternionFromEuler(random.normal(0, spread / 3, 3).tolist())
                self.client.resetJointStateMultiDof(body.number, joint, bend)

    def bend(self, body: Body, angles: Mapping[str, float]) -> None:
        """Swing ball joints, by the names of their links, about their z axis, radians."""
        for link, name in self.link_names(body).items():
            if name in angles:
                turn = self.client.getQuaternionFromEuler([0, 0, angles[name]])
                self.client.resetJointStateMultiDof(body.number, link, turn)

    def link_names(self, body: Body) -> dict[int, str]:
        """Name the links of a body; -1 is its base."""
        joints = range(self.client.getNumJoints(body.number))
        names = {
            joint: self.client.getJointInfo(body.number, joint)[12].decode() for joint in joints
        }
        return {-1: 'base', **names}


_SHAPES: dict[Shape, int] = {
    'box': pybullet.GEOM_BOX, 'cylinder': pybullet.GEOM_CYLINDER, 'sphere': pybullet.GEOM_SPHERE,
}
