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
from seg_ros.depth.objects import ObjectCloud
from seg_ros.depth.planes import Plane

Points: TypeAlias = NDArray[Any]

_ANGLES = 16
_OFFSETS = (-0.3, -0.15, 0.0, 0.15, 0.3)     # along the fingers' line, of the object's length
_LEAST = 6              # points between the fingers
_SAMPLES = 800
_BLOCKED = 3            # points where a finger comes down that rule a grasp out
_CLEAR_M = 0.004        # between the fingers' tips and the support
_ROOM_M = 0.012         # between the object and each finger: more is no better
_THIN_M = 0.008         # what is thinner may be a sliver of something
_HEAP_M = 0.2           # height that weighs one point of the score: higher is no better
_SURE, _ALONE = 2.0, 2.0    # points for a mask's score of 1, and for an object alone in the grip


@dataclass(frozen=True)
class Gripper:
    """
    Two parallel fingers.

    :param opening_m: the widest distance between them.
    :param finger_m: their width, across the closing direction.
    :param thickness_m: of each along the closing direction.
    :param depth_m: how far they may reach below an object's top.
    """

    opening_m: float = 0.08
    finger_m: float = 0.02
    thickness_m: float = 0.012
    depth_m: float = 0.035


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

    Directions and places are tried in turn. One is possible where the object fits between the
    fingers and nothing that is seen stands where they come down. The best leaves room on both
    sides, is near the object's middle, holds it by a finger's whole width and nothing else with
    it, and has sides that face each other squarely (antipodal: Nguyen 1988). Of several objects
    the topmost comes first, and that of the surest and best measured mask: a sliver of an object
    is no object.

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


@dataclass(frozen=True, eq=False)
class _Lanes:
    """
    What is above the fingers' tips, (N, 2) along the closing direction and across it.

    :param held: of the object, where the fingers hold it.
    :param own: of the object, as densely as others.
    """

    held: Points
    own: Points
    others: Points

    def turned(self, turn: NDArray[np.float64]) -> '_Lanes':
        return _Lanes(self.held @ turn.T, self.own @ turn.T, self.others @ turn.T)


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
    held = points[points[:, 2] > max(tip, top - gripper.depth_m / 2) - 0.002]
    if len(held) < _LEAST:
        return None
    centre = (held[:, :2].min(axis=0) + held[:, :2].max(axis=0)) / 2
    reach = gripper.opening_m + gripper.thickness_m + np.ptp(held[:, :2], axis=0).max()
    high = scene.points[:, 2] > tip + _CLEAR_M
    near = high & (np.abs(scene.points[:, :2] - centre) < reach).all(axis=1)
    around, mine = scene.points[near, :2] - centre, scene.ids[near] == item.segment.id
    lanes = _Lanes(held[:, :2] - centre, around[mine], around[~mine])
    best = None
    for angle in np.arange(_ANGLES) * np.pi / _ANGLES:
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        for score, along, offset, width in _tries(lanes.turned(turn), gripper):
            if best is None or score > best[0]:
                best = score, np.array([along, offset]) @ turn + centre, turn[0], width
    if best is None:
        return None
    score, place, close, width = best
    score += min(1.0, top / _HEAP_M) + _SURE * item.segment.score + item.quality
    position = np.array([*place, tip - plane.offset_m]) @ basis
    return Grasp(item.segment.id, position, _axes(close, basis), width, score)


def _tries(lanes: _Lanes, gripper: Gripper) -> list[tuple[float, float, float, float]]:
    """
    Try the places along one line.

    :returns: score, place along and across, and width of those that are possible.
    """
    found = []
    span = np.ptp(lanes.held[:, 1])
    for share in _OFFSETS:
        offset = share * span
        strip = _lane(lanes.held, offset, gripper)
        if len(strip) < _LEAST:
            continue
        low, high = strip[:, 0].min(), strip[:, 0].max()
        middle, width = (low + high) / 2, high - low
        room = (gripper.opening_m - width) / 2
        if room < 0.004:
            continue
        own, others = (
            np.abs(_lane(each, offset, gripper)[:, 0] - middle)
            for each in (lanes.own, lanes.others)
        )
        if _blocked(np.concatenate([own, others]), width, gripper) >= _BLOCKED:
            continue
        score = (
            min(1.0, room / _ROOM_M) + min(1.0, width / _THIN_M)
            + min(1.0, np.ptp(strip[:, 1]) / (0.8 * gripper.finger_m))
            - abs(middle) / 0.04 - abs(offset) / 0.04 - _slant(strip, offset)
            + _ALONE * _purity(own, others, gripper)
        )
        found.append((float(score), float(middle), float(offset), float(width)))
    return found


def _lane(points: Points, offset: float, gripper: Gripper) -> Points:
    """Return the points that pass between the fingers, or below one."""
    return np.asarray(points[np.abs(points[:, 1] - offset) < gripper.finger_m / 2])


def _blocked(gaps: Points, width: float, gripper: Gripper) -> int:
    """Count the points where a finger comes down, by their distance from the grip's middle."""
    outer = gripper.opening_m / 2
    # Just outside the object its own sides are seen; the finger comes down beyond them.
    inner = max(width / 2 + 0.003, outer - 0.012)
    return int(np.count_nonzero((gaps > inner) & (gaps < outer + gripper.thickness_m)))


def _purity(own: Points, others: Points, gripper: Gripper) -> float:
    """Return the share of what the fingers close on that is the object itself."""
    outer = gripper.opening_m / 2
    mine, theirs = (int(np.count_nonzero(each < outer)) for each in (own, others))
    return mine / max(1, mine + theirs)


def _slant(strip: Points, offset: float) -> float:
    """Return how far the sides between the fingers are from facing each other, 0 to 2."""
    left, right = strip[strip[:, 1] < offset, 0], strip[strip[:, 1] >= offset, 0]
    if len(left) < 2 or len(right) < 2:
        return 1.0
    shift = abs(left.min() - right.min()) + abs(left.max() - right.max())
    return min(2.0, float(shift) / 0.01)


def _axes(close: NDArray[np.float64], basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the gripper's axes: z down, y along the closing direction."""
    z, y = -basis[2], close @ basis[:2]
    return np.stack([np.cross(y, z), y, z])
