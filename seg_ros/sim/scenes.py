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

"""Arranges assets: a bin or a table with clutter and an arm, or a room seen from a robot."""

from collections.abc import Callable, Sequence
import math
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.sim.assets import Assets
from seg_ros.sim.classes import FLOOR, OBJECT, PERSON, ROBOT
from seg_ros.sim.person import upright
from seg_ros.sim.random_choice import one_of
from seg_ros.sim.textures import color
from seg_ros.sim.view import Viewpoint
from seg_ros.sim.world import Body, Vector, World

Random: TypeAlias = np.random.Generator
ViewpointSampler: TypeAlias = Callable[[Random], Viewpoint]
Kind: TypeAlias = Literal['bin', 'table', 'room', 'bench']

_SKIN = ((242, 199, 166), (204, 153, 115), (140, 94, 64), (89, 59, 41))
_SKIN_LINKS = ('neck', 'head', 'wrist', 'elbow', 'hand')
_TROUSER_LINKS = ('hip', 'knee', 'ankle')


def make_scene(
    world: World, assets: Assets, random: Random, kind: Kind | None = None
) -> ViewpointSampler:
    """
    Clear the world and arrange a scene.

    :param kind: None chooses a bin, a table or a room at random.
    :returns: function that chooses a random viewpoint on the scene.
    """
    world.clear()
    lot = random.random()
    chosen = kind or ('bin' if lot < 0.3 else 'table' if lot < 0.58 else 'room')
    sample_viewpoint = _SCENES[chosen](world, assets, random)
    repaint(world, assets, random, 1.0)
    return sample_viewpoint


def repaint(world: World, assets: Assets, random: Random, probability: float) -> None:
    """Repaint each visible body with a probability."""
    for body in world.bodies:
        if body.shown and random.random() < probability:
            _REPAINT.get(body.class_id, _repaint_surface)(world, assets, random, body)


def _bin_scene(world: World, assets: Assets, random: Random) -> ViewpointSampler:
    top = _room_with_table(world, assets, random)
    chosen = one_of(random, assets.bins)
    spin = _random_yaw(random)
    world.show(chosen.body, (0, 0, top), spin)
    reach = 0.7 * min(chosen.half)
    _drop(world, assets, random, (6, 22), (0, 0, top + 0.1), reach)
    world.settle(300)
    _bystanders(world, assets, random, top)
    return lambda random: _orbit(random, top + 0.03, (40, 90), (0.4, 0.9))


def _table_scene(world: World, assets: Assets, random: Random) -> ViewpointSampler:
    top = _room_with_table(world, assets, random)
    reach = random.uniform(0.08, 0.26)
    _drop(world, assets, random, (5, 19), (0, 0, top + 0.1), reach)
    world.settle(300)
    _bystanders(world, assets, random, top)
    return lambda random: _orbit(random, top + 0.03, (18, 85), (0.5, 1.5))


def _bench_scene(world: World, assets: Assets, random: Random) -> ViewpointSampler:
    """Scatter objects over a table that is seen from a low elevation."""
    top = _room_with_table(world, assets, random)
    _drop(world, assets, random, (5, 16), (0, 0, top + 0.1), random.uniform(0.2, 0.5))
    world.settle(300)
    _bystanders(world, assets, random, top)
    return lambda random: _orbit(random, top + 0.1, (2, 25), (0.6, 1.7))


def _room_scene(world: World, assets: Assets, random: Random) -> ViewpointSampler:
    half = random.uniform(2.0, 4.2)
    _walls(world, assets, random, half, (3, 9))
    table = one_of(random, assets.tables)
    if random.random() < 0.7:
        x, y = random.uniform(-0.5, 0.5, 2).tolist()
        world.show(table.body, (x, y, 0), _random_yaw(random))
        _drop(world, assets, random, (4, 12), (x, y, table.top_m + 0.1), 0.18)
    _drop(world, assets, random, (3, 9), (*_spot(random, half, 0.6), 0.1), 0.2)
    world.settle(240)
    for person in _some(random, assets.people, (0.12, 0.38, 0.3, 0.2)):
        _stand(world, random, person, (*_spot(random, half, 0.75), 0.0))
    for robot in _some(random, (*assets.rovers, *assets.arms), (0.15, 0.45, 0.4)):
        _stand(world, random, robot, (*_spot(random, half, 0.65), 0.0))
    return lambda random: _drive(world, random, half)


def _room_with_table(world: World, assets: Assets, random: Random) -> float:
    """Place a table in the middle of a room and return the height of its top."""
    _walls(world, assets, random, random.uniform(1.6, 3.5), (0, 5))
    table = one_of(random, assets.tables)
    world.show(table.body, (0, 0, 0), _random_yaw(random))
    return table.top_m


def _walls(
    world: World, assets: Assets, random: Random, half: float, furniture: tuple[int, int]
) -> None:
    world.show(assets.floor, (0, 0, 0))
    for side, wall in enumerate(assets.walls):
        world.show(wall, _polar(half, side * math.pi / 2), _yaw(side * math.pi / 2))
    for door in _some(random, assets.doors, (0.4, 0.4, 0.2)):
        angle = random.integers(4) * math.pi / 2
        along = random.uniform(-0.6, 0.6) * half
        x, y, _ = _polar(half - 0.06, angle)
        position = x - along * math.sin(angle), y + along * math.cos(angle), 0.0
        world.show(door, position, _yaw(angle))
    for number in random.permutation(len(assets.furniture))[:random.integers(*furniture)]:
        position = _polar(half * random.uniform(0.6, 0.92), random.uniform(0, 2 * math.pi))
        world.show(assets.furniture[number], position, _random_yaw(random))


def _drop(
    world: World, assets: Assets, random: Random, counts: tuple[int, int], center: Vector,
    reach: float,
) -> None:
    """Drop a random number of objects that are not yet in the scene into a heap."""
    free = [body for body in assets.objects if not body.shown]
    chosen = random.permutation(len(free))[:random.integers(*counts)]
    for step, number in enumerate(chosen.tolist()):
        x, y = random.uniform(-reach, reach, 2)
        orientation = random.normal(size=4)
        orientation /= np.linalg.norm(orientation)
        position = center[0] + x, center[1] + y, center[2] + 0.045 * step
        world.show(free[number], position, orientation.tolist())


def _bystanders(world: World, assets: Assets, random: Random, top: float) -> None:
    """Place, each by chance, an arm next to the heap and a person next to the table."""
    if random.random() < 0.62:
        arm = one_of(random, assets.arms)
        world.pose(arm, random, 1.6)
        position = _polar(random.uniform(0.3, 0.55), random.uniform(0, 2 * math.pi))
        world.show(arm, (position[0], position[1], top), _random_yaw(random))
    if random.random() < 0.35:
        person = one_of(random, assets.people)
        position = _polar(random.uniform(0.6, 1.3), random.uniform(0, 2 * math.pi))
        _stand(world, random, person, position)


def _stand(world: World, random: Random, body: Body, position: Vector) -> None:
    """Stand a posed robot or person on the floor."""
    if body.class_id == ROBOT:
        world.pose(body, random, 1.2 if body.kind in ('panda', 'model') else 0.5)
        world.stand(body, position, _random_yaw(random))
    else:
        world.pose(body, random, 1.0)
        world.stand(body, position, upright(world, random.uniform(0, 6.28)))


def _repaint_surface(world: World, assets: Assets, random: Random, body: Body) -> None:
    tint = random.uniform(0.75, 1, 3)
    if random.random() < (0.85 if body.class_id == FLOOR else 0.7):
        world.paint(body, tint, one_of(random, assets.surfaces))
    else:
        world.paint(body, color(random) / 255)


def _repaint_object(world: World, assets: Assets, random: Random, body: Body) -> None:
    if random.random() < 0.6:
        world.paint(body, (1, 1, 1), one_of(random, assets.prints))
    else:
        world.paint(body, color(random) / 255)


def _repaint_robot(world: World, assets: Assets, random: Random, body: Body) -> None:
    """Keep the original colours, or paint it white, grey, black or in one colour."""
    choice = random.random()
    if choice < 0.5:
        world.unpaint(body)
    elif choice < 0.75:
        world.paint(body, (random.choice([0.08, 0.3, 0.6, 0.85, 0.95]),) * 3)
    else:
        world.paint(body, color(random) / 255)


def _repaint_person(world: World, assets: Assets, random: Random, body: Body) -> None:
    skin = np.array(one_of(random, _SKIN)) / 255
    top, trousers = color(random) / 255, color(random) / 255
    pattern = int(random.choice(assets.surfaces)) if random.random() < 0.4 else -1
    for link, name in world.link_names(body).items():
        if any(word in name for word in _SKIN_LINKS):
            world.paint(body, skin, links=[link])
        elif any(word in name for word in _TROUSER_LINKS):
            world.paint(body, trousers, links=[link])
        else:
            world.paint(body, top, pattern, links=[link])


_REPAINT = {OBJECT: _repaint_object, ROBOT: _repaint_robot, PERSON: _repaint_person}
_SCENES: dict[Kind, Callable[[World, Assets, Random], ViewpointSampler]] = {
    'bin': _bin_scene, 'table': _table_scene, 'room': _room_scene, 'bench': _bench_scene,
}


def _orbit(
    random: Random, height: float, elevation_deg: tuple[float, float],
    distance_m: tuple[float, float],
) -> Viewpoint:
    """Look at the heap from a random position around and above it."""
    rise, spin = math.radians(random.uniform(*elevation_deg)), random.uniform(0, 2 * math.pi)
    distance = random.uniform(*distance_m)
    target = np.array([*random.uniform(-0.08, 0.08, 2), height])
    x, y, _ = _polar(distance * math.cos(rise), spin)
    eye = target + np.array([x, y, distance * math.sin(rise)])
    roll = random.normal(0, 0.08)
    # From straight above, the top of the image may point anywhere.
    up = (-math.cos(spin), -math.sin(spin), 0.3) if rise > 1.2 else (math.sin(roll), 0.0, 1.0)
    return Viewpoint(_vector(eye), _vector(target), up, random.uniform(36, 62))


def _drive(world: World, random: Random, half: float) -> Viewpoint:
    """Look from a driving base, mostly towards an object, a robot or a person."""
    eye = np.array([*_spot(random, half, 0.85), random.uniform(0.25, 1.5)])
    goals = [body for body in world.bodies if body.shown and body.class_id >= OBJECT]
    if goals and random.random() < 0.75:
        # Choose a class first, so that rare classes are looked at as often as objects.
        classes = sorted({body.class_id for body in goals})
        chosen = one_of(random, classes)
        goals = [body for body in goals if body.class_id == chosen]
        goal = np.array(world.position(one_of(random, goals)))
    else:
        goal = np.array([*_spot(random, half, 0.5), 0.5])
    away = goal[:2] - eye[:2]
    distance = float(np.hypot(*away)) + 1e-3
    pitch = random.uniform(-0.4, 0.08)
    ahead = eye + np.array([*(away / distance), pitch])
    roll = random.normal(0, 0.03)
    return Viewpoint(_vector(eye), _vector(ahead), (roll, 0.0, 1.0), random.uniform(45, 75))


def _some(
    random: Random, bodies: Sequence[Body], probabilities: Sequence[float]
) -> list[Body]:
    """Choose n random bodies, where n has the probability `probabilities[n]`."""
    count = int(random.choice(len(probabilities), p=probabilities))
    return [bodies[number] for number in random.permutation(len(bodies))[:count]]


def _spot(random: Random, half: float, fraction: float) -> tuple[float, float]:
    x, y = random.uniform(-half * fraction, half * fraction, 2).tolist()
    return x, y


def _polar(radius: float, angle: float) -> Vector:
    return radius * math.cos(angle), radius * math.sin(angle), 0.0


def _yaw(angle: float) -> Sequence[float]:
    return 0.0, 0.0, math.sin(angle / 2), math.cos(angle / 2)


def _random_yaw(random: Random) -> Sequence[float]:
    return _yaw(random.uniform(0, 2 * math.pi))


def _vector(point: NDArray[np.float64]) -> Vector:
    x, y, z = point.tolist()
    return x, y, z
