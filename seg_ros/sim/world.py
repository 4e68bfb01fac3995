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

"""A physics simulation whose bodies are loaded once, then moved, hidden and repainted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Literal, TypeAlias

import numpy as np
import pybullet
import pybullet_data
from pybullet_utils.bullet_client import BulletClient
from seg_ros.core.frame import Pixels
from seg_ros.image.file_writing import encode_png

Vector: TypeAlias = tuple[float, float, float]
Shape: TypeAlias = Literal['box', 'cylinder', 'sphere']
LIMBO_M = -80.0     # height of hidden bodies
STEP_S = 1 / 240    # of the simulation
_ASLEEP = pybullet.ACTIVATION_STATE_ENABLE_SLEEPING | pybullet.ACTIVATION_STATE_SLEEP


@dataclass(frozen=True)
class Part:
    """
    A primitive of a compound body.

    :param half: half extents of a box; radius, radius and half height of a cylinder; three times
        the radius of a sphere, each in metres.
    :param center: in the body's frame, metres.
    """

    half: Vector
    center: Vector = (0.0, 0.0, 0.0)
    shape: Shape = 'box'


@dataclass(eq=False)
class Body:
    """
    A body in the pool of a world.

    :param number: PyBullet's body id.
    :param mass: in kilograms while it is shown; bodies of mass 0 do not move.
    :param link_colors: with which it was loaded: link, (red, green, blue, alpha).
    """

    number: int
    class_id: int
    mass: float
    link_colors: tuple[tuple[int, tuple[float, ...]], ...]
    kind: str = ''
    shown: bool = False


class World:
    """A PyBullet world with a pool of bodies; call `close` after use."""

    def __init__(self) -> None:
        self.client: Any = BulletClient(pybullet.DIRECT)
        self.bodies: list[Body] = []
        self._data = Path(pybullet_data.getDataPath())
        self.client.setGravity(0, 0, -9.8)
        self.client.setPhysicsEngineParameter(numSolverIterations=20)

    def close(self) -> None:
        """Disconnect from PyBullet."""
        self.client.disconnect()

    def texture(self, image: Pixels) -> int:
        """Load an RGB texture and return its number; call before the first image is rendered."""
        with NamedTemporaryFile(prefix='seg_ros_', suffix='.png') as file:
            file.write(encode_png(image))
            file.flush()
            return int(self.client.loadTexture(file.name))

    def load(self, urdf: str, class_id: int, scale: float = 1.0, fixed: bool = False) -> Body:
        """Load a body from PyBullet's data and hide it."""
        number = self.client.loadURDF(
            str(self._data / urdf), [0, 0, LIMBO_M], globalScaling=scale, useFixedBase=fixed
        )
        mass = 0.0 if fixed else float(self.client.getDynamicsInfo(number, -1)[0])
        if fixed:
            # Makes steps twenty times faster: joints that are not driven need no solving.
            self.client.changeDynamics(number, -1, activationState=_ASLEEP)
        return self._pool(number, class_id, mass, Path(urdf).stem)

    def build(self, parts: Sequence[Part], class_id: int, mass: float = 0.0) -> Body:
        """Create a body from primitives and hide it."""
        columns = {
            'shapeTypes': [_SHAPES[part.shape] for part in parts],
            'halfExtents': [part.half for part in parts],
            'radii': [part.half[0] for part in parts],
        }
        heights = [2 * part.half[2] for part in parts]
        centers = [part.center for part in parts]
        visual = self.client.createVisualShapeArray(
            **columns, lengths=heights, visualFramePositions=centers
        )
        solid = self.client.createCollisionShapeArray(
            **columns, lengths=heights, collisionFramePositions=centers
        )
        number = self.client.createMultiBody(mass, solid, visual, [0, 0, LIMBO_M])
        return self._pool(number, class_id, mass, 'built')

    def _pool(self, number: int, class_id: int, mass: float, kind: str) -> Body:
        shapes = self.client.getVisualShapeData(number)
        link_colors = tuple((int(row[1]), tuple(row[7])) for row in shapes)
        body = Body(number, class_id, mass, link_colors, kind)
        self.bodies.append(body)
        self.hide(body)
        return body

    def hide(self, body: Body) -> None:
        """Move a body out of sight and out of contact."""
        if body.mass:
            self.client.changeDynamics(body.number, -1, mass=0)
        self.client.resetBasePositionAndOrientation(
            body.number, [5.0 * body.number, 0, LIMBO_M], [0, 0, 0, 1]
        )
        body.shown = False

    def show(
        self, body: Body, position: Vector, orientation_xyzw: Sequence[float] = (0, 0, 0, 1)
    ) -> None:
        """Place a body in the scene, at rest."""
        if body.mass:
            self.client.changeDynamics(
                body.number, -1, mass=body.mass,
                activationState=pybullet.ACTIVATION_STATE_WAKE_UP,
            )
        self.client.resetBasePositionAndOrientation(body.number, position, orientation_xyzw)
        self.client.resetBaseVelocity(body.number, [0, 0, 0], [0, 0, 0])
        body.shown = True

    def stand(
        self, body: Body, position: Vector, orientation_xyzw: Sequence[float] = (0, 0, 0, 1)
    ) -> None:
        """Show a body with its lowest point at the height of `position`."""
        self.show(body, position, orientation_xyzw)
        low = min(
            self.client.getAABB(body.number, link)[0][2]
            for link in range(-1, self.client.getNumJoints(body.number))
        )
        x, y, z = position
        self.show(body, (x, y, 2 * z - low), orientation_xyzw)

    def clear(self) -> None:
        """Hide all bodies."""
        for body in self.bodies:
            if body.shown:
                self.hide(body)

    def position(self, body: Body) -> Vector:
        """Return the position of a body's base."""
        x, y, z = self.client.getBasePositionAndOrientation(body.number)[0]
        return float(x), float(y), float(z)

    def settle(self, steps: int) -> None:
        """Simulate some steps of `STEP_S`."""
        for _ in range(steps):
            self.client.stepSimulation()

    def paint(
        self, body: Body, rgb: Iterable[float], texture: int = -1, links: Sequence[int] = ()
    ) -> None:
        """
        Colour a body.

        :param rgb: 0 to 1; multiplied with the texture.
        :param texture: -1 removes the texture.
        :param links: links to paint; all if empty.
        """
        rgba = [*rgb, 1.0]
        for link in links or sorted({link for link, _ in body.link_colors}):
            self.client.changeVisualShape(
                body.number, link, textureUniqueId=texture, rgbaColor=rgba
            )

    def unpaint(self, body: Body) -> None:
        """Restore the colours that a body was loaded with."""
        for link, rgba in body.link_colors:
            self.client.changeVisualShape(body.number, link, rgbaColor=rgba)

    def pose(self, body: Body, random: np.random.Generator, spread: float) -> None:
        """Set revolute and ball joints to random angles of about `spread` radians at most."""
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
        """Set the angles of ball joints about their z axis, by link name, in radians."""
        for link, name in self.link_names(body).items():
            if name in angles:
                orientation = self.client.getQuaternionFromEuler([0, 0, angles[name]])
                self.client.resetJointStateMultiDof(body.number, link, orientation)

    def link_names(self, body: Body) -> dict[int, str]:
        """Return the names of a body's links; -1 is its base."""
        joints = range(self.client.getNumJoints(body.number))
        names = {
            joint: self.client.getJointInfo(body.number, joint)[12].decode() for joint in joints
        }
        return {-1: 'base', **names}


_SHAPES: dict[Shape, int] = {
    'box': pybullet.GEOM_BOX, 'cylinder': pybullet.GEOM_CYLINDER, 'sphere': pybullet.GEOM_SPHERE,
}
