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

"""Top-down antipodal grasps on object clouds: a baseline that anyone can try."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.cloud import xyz_of
from seg_ros.depth.grips import Grip, Gripper, grips_along, Lanes, LEAST
from seg_ros.depth.objects import ObjectCloud
from seg_ros.depth.planes import Plane

Points: TypeAlias = NDArray[Any]

_TURNS = [
    np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for angle in np.arange(16) * np.pi / 16
]
_SAMPLES = 800
_CLEAR_M = 0.004        # between the fingers' tips and the support
_HEAP_M = 0.2           # height that weighs one point of the score: higher is no better
_SURE = 2.0             # points for a mask's score of 1


@dataclass(frozen=True, eq=False)
class Grasp:
    """
    A pose of a gripper in the optical frame.

    :param segment_id: of the object.
    :param position: float64 (3,), between the fingers' tips, metres.
    :param axes: float64 (3, 3), rows x, y, z of the gripper: z is the way it approaches, the
        fingers close along y (the Franka hand's convention).
    :param width_m: of the object between the fingers.
    :param score: the higher the better.
    """

    segment_id: int
    position: NDArray[np.float64]
    axes: NDArray[np.float64]
    width_m: float
    score: float


def top_down_grasps(
    objects: Sequence[ObjectCloud], plane: Plane, surroundings: NDArray[np.void],
    gripper: Gripper | None = None,
) -> list[Grasp]:
    """
    Find for every object the best grasp straight down onto its support.

    All directions are tried (see `grips_along`). Of several objects the topmost comes first, and
    that of the surest and best measured mask: a sliver of an object is no object, and of one that
    the image's edge cuts the middle is not known.

    :param objects: with their points.
    :param plane: the support.
    :param surroundings: `POINT` (N,) of all that is seen, the objects among it; finite.
    :returns: at most one an object, the best first.
    """
    gripper = gripper or Gripper()
    basis = plane.basis(np.array([0.0, 0.0, 1.0]))
    scene = _Scene(_upright(xyz_of(surroundings), basis, plane), surroundings['instance'])
    found = [_best(item, basis, plane, scene, gripper) for item in objects if len(item.points)]
    return sorted((item for item in found if item is not None), key=lambda item: -item.score)


@dataclass(frozen=True, eq=False)
class _Scene:
    """All that is seen: float64 (N, 3) along the support and above it, and the segment ids."""

    points: Points
    ids: NDArray[np.uint32]


def _upright(xyz: Points, basis: NDArray[np.float64], plane: Plane) -> Points:
    points = np.asarray(np.asarray(xyz, np.float64) @ basis.T)
    points[:, 2] += plane.offset_m
    return points


def _best(
    item: ObjectCloud, basis: NDArray[np.float64], plane: Plane, scene: _Scene, gripper: Gripper,
) -> Grasp | None:
    points = _upright(item.xyz[::max(1, len(item.points) // _SAMPLES)], basis, plane)
    top = float(np.quantile(points[:, 2], 0.95))
    tip = max(top - gripper.depth_m, _CLEAR_M)
    held = points[points[:, 2] > max(tip, top - gripper.depth_m / 2) - 0.002, :2]
    if len(held) < LEAST:
        return None
    centre = (held.min(axis=0) + held.max(axis=0)) / 2
    reach = gripper.opening_m + gripper.thickness_m + np.ptp(held, axis=0).max()
    above = np.flatnonzero(scene.points[:, 2] > tip + _CLEAR_M)
    around = scene.points[above, :2] - centre
    near = (np.abs(around) < reach).all(axis=1)
    around, mine = around[near], scene.ids[above[near]] == item.segment.id
    found = _best_grip(Lanes(held - centre, around[mine], around[~mine]), gripper)
    if found is None:
        return None
    grip, turn = found
    place = np.array([grip.along_m, grip.across_m]) @ turn + centre
    position = np.array([*place, tip - plane.offset_m]) @ basis
    sure = min(1.0, top / _HEAP_M) + _SURE * item.segment.score + item.quality - item.cut
    return Grasp(
        item.segment.id, position, _axes(turn[0], basis), grip.width_m, grip.score + sure
    )


def _best_grip(lanes: Lanes, gripper: Gripper) -> tuple[Grip, NDArray[np.float64]] | None:
    """Try all directions; returns the best grip and the turn of its closing direction."""
    found = [
        (grip, turn) for turn in _TURNS for grip in grips_along(lanes.turned(turn), gripper)
    ]
    return max(found, key=lambda each: each[0].score, default=None)


def _axes(close: NDArray[np.float64], basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the gripper's axes: z down, y along the closing direction."""
    z, y = -basis[2], close @ basis[:2]
    return np.stack([np.cross(y, z), y, z])
