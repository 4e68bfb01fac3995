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

"""The assets of scenes: objects, furniture, robots and people, loaded once into a world."""

from dataclasses import dataclass

import numpy as np
from seg_ros.sim.classes import FLOOR, OBJECT, PERSON, ROBOT, SUPPORT, WALL
from seg_ros.sim.random_choice import one_of
from seg_ros.sim.textures import printed, Split, surface
from seg_ros.sim.world import Body, Part, World

# Every fifth of PyBullet's 1000 random objects is held out.
_HELD_OUT_STEP = 5
_HOUSEHOLD: dict[Split, tuple[tuple[str, float], ...]] = {
    'train': (
        ('objects/mug.urdf', 1.0), ('teddy_vhacd.urdf', 1.5), ('lego/lego.urdf', 1.3),
        ('domino/domino.urdf', 2.0), ('cube_small.urdf', 1.2),
    ),
    'held-out': (
        ('duck_vhacd.urdf', 1.2), ('jenga/jenga.urdf', 1.5), ('soccerball.urdf', 0.12),
        ('block.urdf', 1.5),
    ),
}
_ARMS = (
    'franka_panda/panda.urdf', 'kuka_iiwa/model.urdf', 'xarm/xarm6_robot.urdf',
    'xarm/xarm6_with_gripper.urdf',
)
_ROVERS = (
    ('husky/husky.urdf', 1.0), ('r2d2.urdf', 0.7), ('racecar/racecar.urdf', 1.5),
    ('a1/a1.urdf', 1.0), ('laikago/laikago_toes.urdf', 1.0), ('aliengo/aliengo.urdf', 1.0),
    ('mini_cheetah/mini_cheetah.urdf', 1.2), ('quadruped/minitaur.urdf', 1.5),
)


@dataclass(frozen=True, eq=False)
class Table:
    """A table and the height of its top in metres."""

    body: Body
    top_m: float


@dataclass(frozen=True, eq=False)
class Bin:
    """A bin, and half of its width and depth in metres."""

    body: Body
    half: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Assets:
    """All bodies that scenes can show, and the numbers of textures for them."""

    floor: Body
    walls: tuple[Body, ...]
    doors: tuple[Body, ...]
    furniture: tuple[Body, ...]
    tables: tuple[Table, ...]
    bins: tuple[Bin, ...]
    objects: tuple[Body, ...]
    arms: tuple[Body, ...]
    rovers: tuple[Body, ...]
    people: tuple[Body, ...]
    surfaces: tuple[int, ...]
    prints: tuple[int, ...]


def load_assets(
    world: World, random: np.random.Generator, split: Split, objects: int = 64
) -> Assets:
    """
    Load assets; objects, sizes and textures are drawn at random.

    Both splits have the same robots and people, but different objects and textures.
    """
    surfaces = tuple(world.texture(surface(random, split)) for _ in range(36))
    prints = tuple(world.texture(printed(random, split)) for _ in range(56))
    arms = random.choice(len(_ARMS), 2, replace=False)
    rovers = random.choice(len(_ROVERS), 2, replace=False)
    return Assets(
        floor=world.build([Part((8, 8, 0.05), (0, 0, -0.05))], FLOOR),
        walls=tuple(world.build([Part((0.05, 6, 1.5), (0, 0, 1.5))], WALL) for _ in range(4)),
        doors=tuple(_door(world, random) for _ in range(2)),
        furniture=tuple(_FURNITURE[k % len(_FURNITURE)](world, random) for k in range(14)),
        tables=tuple(_table(world, random) for _ in range(3)),
        bins=tuple(_bin(world, random) for _ in range(4)),
        objects=tuple(_object(world, random, split) for _ in range(objects)),
        arms=tuple(world.load(_ARMS[k], ROBOT, fixed=True) for k in arms),
        rovers=tuple(
            world.load(urdf, ROBOT, scale, fixed=True)
            for urdf, scale in (_ROVERS[k] for k in rovers)
        ),
        people=tuple(
            world.load('humanoid/humanoid.urdf', PERSON, random.uniform(0.21, 0.28), fixed=True)
            for _ in range(3)
        ),
        surfaces=surfaces,
        prints=prints,
    )


def _object(world: World, random: np.random.Generator, split: Split) -> Body:
    """Load one object to grasp: a random shape, one made of primitives or a household object."""
    kind = random.random()
    if kind < 0.36:
        held = np.arange(0, 1000, _HELD_OUT_STEP)
        names = held if split == 'held-out' else np.setdiff1d(np.arange(1000), held)
        name = f'{random.choice(names):03d}'
        return world.load(f'random_urdfs/{name}/{name}.urdf', OBJECT, random.uniform(0.8, 1.8))
    if kind < 0.84:
        return world.build(one_of(random, _PRIMITIVES)(random), OBJECT, 0.2)
    urdf, scale = one_of(random, _HOUSEHOLD[split])
    return world.load(urdf, OBJECT, scale * random.uniform(0.9, 1.7))


def _package(random: np.random.Generator) -> list[Part]:
    x, y, z = random.uniform(0.015, 0.095, 3).tolist()
    return [Part((x, y, z))]


def _can(random: np.random.Generator) -> list[Part]:
    radius, half = random.uniform(0.015, 0.055), random.uniform(0.015, 0.1)
    return [Part((radius, radius, half), shape='cylinder')]


def _ball(random: np.random.Generator) -> list[Part]:
    radius = random.uniform(0.02, 0.065)
    return [Part((radius, radius, radius), shape='sphere')]


def _bottle(random: np.random.Generator) -> list[Part]:
    radius, half = random.uniform(0.02, 0.045), random.uniform(0.05, 0.09)
    neck = radius * random.uniform(0.3, 0.6)
    return [
        Part((radius, radius, half), shape='cylinder'),
        Part((neck, neck, half / 3), (0, 0, half * 1.3), 'cylinder'),
    ]


def _tool(random: np.random.Generator) -> list[Part]:
    """Make a handle with a shaft and, half of the time, a crosswise head like a hammer's."""
    thick, half = random.uniform(0.01, 0.02), random.uniform(0.04, 0.07)
    shaft = thick * random.uniform(0.3, 0.7)
    parts = [
        Part((thick, thick, half), shape='cylinder'),
        Part((shaft, shaft, half), (0, 0, 2 * half), 'cylinder'),
    ]
    head = Part((3 * thick, thick, thick), (0, 0, 3 * half))
    return [*parts, head] if random.random() < 0.5 else parts


def _clamp(random: np.random.Generator) -> list[Part]:
    """Make a non-convex L or U of bars."""
    long, wide, thick = random.uniform(0.04, 0.09), random.uniform(0.03, 0.06), 0.012
    bars = [Part((long, thick, thick)), Part((thick, wide, thick), (long, wide, 0))]
    other = Part((thick, wide, thick), (-long, wide, 0))
    return [*bars, other] if random.random() < 0.5 else bars


_PRIMITIVES = (_package, _package, _package, _package, _can, _can, _ball, _bottle, _tool, _clamp)


def _box(world: World, random: np.random.Generator) -> Body:
    x, y, z = random.uniform(0.12, 0.5), random.uniform(0.12, 0.4), random.uniform(0.15, 1.0)
    return world.build([Part((x, y, z), (0, 0, z))], WALL)


def _chair(world: World, random: np.random.Generator) -> Body:
    half, height = random.uniform(0.18, 0.25), random.uniform(0.38, 0.48)
    back = Part((0.02, half, 0.25), (half, 0, height + 0.25))
    return world.build([*_board_on_legs(half, half, height, 0.02), back], WALL)


def _shelf(world: World, random: np.random.Generator) -> Body:
    width, depth = random.uniform(0.3, 0.6), random.uniform(0.12, 0.2)
    height = random.uniform(0.5, 1)
    boards = [Part((depth, width, 0.015), (0, 0, z)) for z in np.linspace(0.05, 2 * height, 4)]
    sides = [Part((depth, 0.015, height), (0, side * width, height)) for side in (-1, 1)]
    return world.build([*boards, *sides], WALL)


def _sofa(world: World, random: np.random.Generator) -> Body:
    width = random.uniform(0.4, 0.9)
    arms = [Part((0.4, 0.08, 0.3), (0, side * width, 0.3)) for side in (-1, 1)]
    return world.build(
        [Part((0.4, width, 0.2), (0, 0, 0.2)), Part((0.1, width, 0.4), (0.4, 0, 0.4)), *arms], WALL
    )


_FURNITURE = (_box, _chair, _box, _shelf, _sofa, _chair, _box)


def _door(world: World, random: np.random.Generator) -> Body:
    """Make a door with handle and frame, to be placed against a wall."""
    half, height = random.uniform(0.38, 0.5), random.uniform(0.98, 1.1)
    jambs = [Part((0.04, 0.04, height), (0, side * (half + 0.04), height)) for side in (-1, 1)]
    return world.build([
        Part((0.025, half, height), (0, 0, height)), *jambs,
        Part((0.04, half + 0.08, 0.04), (0, 0, 2 * height + 0.04)),
        Part((0.06, 0.06, 0.012), (0, 0.8 * half, height)),
    ], WALL)


def _board_on_legs(x: float, y: float, height: float, thick: float) -> list[Part]:
    legs = [
        Part((thick, thick, height / 2), (i * (x - thick), j * (y - thick), height / 2))
        for i in (-1, 1) for j in (-1, 1)
    ]
    return [Part((x, y, thick), (0, 0, height)), *legs]


def _table(world: World, random: np.random.Generator) -> Table:
    x, y, height = random.uniform(0.4, 0.9), random.uniform(0.35, 0.6), random.uniform(0.4, 0.9)
    thick = random.uniform(0.015, 0.035)
    body = world.build(_board_on_legs(x, y, height, thick), SUPPORT)
    return Table(body, height + thick)


def _bin(world: World, random: np.random.Generator) -> Bin:
    x, y, high = random.uniform(0.16, 0.32), random.uniform(0.14, 0.26), random.uniform(0.02, 0.14)
    thick = random.uniform(0.004, 0.012)
    long = [Part((thick, y, high), (side * x, 0, high)) for side in (-1, 1)]
    short = [Part((x, thick, high), (0, side * y, high)) for side in (-1, 1)]
    body = world.build([Part((x, y, thick), (0, 0, thick)), *long, *short], SUPPORT)
    return Bin(body, (x, y))
