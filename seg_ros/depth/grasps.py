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
from seg_ros.depth.objects import ObjectCloud
from seg_ros.depth.planes import Plane

Points: TypeAlias = NDArray[Any]

_ANGLES = 16
_OFFSETS = (-0.3, -0.15, 0.0, 0.15, 0.3)     # along the fingers' line, of the object's length
_LEAST = 6              # points between the fingers
_SAMPLES = 400
_BLOCKED = 3            # points where a finger comes down that rule a grasp out
_CLEAR_M = 0.004        # between the fingers' tips and the support
_HEAP_M = 0.2           # height that weighs as much as the whole score of a mask


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
    objects: Sequence[ObjectCloud], plane: Plane, surroundings: Points,
    gripper: Gripper | None = None,
) -> list[Grasp]:
    """
    Find for every object the best grasp straight down onto its support.

    Directions and places are tried in turn. One is possible where the object fits between the
    fingers and nothing that is seen stands where they come down. The best is narrow, near the
    object's middle, and has sides that face each other squarely (antipodal: Nguyen 1988). Of
    several objects the topmost and surest comes first.

    :param objects: with their points.
    :param plane: the support.
    :param surroundings: (N, 3) of all that is seen, the objects among it; finite.
    :returns: at most one an object, the best first.
    """
    gripper = gripper or Gripper()
    basis = plane.basis(np.array([0.0, 0.0, 1.0]))
    frame = np.asarray(surroundings, np.float64) @ basis.T
    frame[:, 2] += plane.offset_m
    found = [_best(item, basis, plane, frame, gripper) for item in objects if len(item.points)]
    return sorted((item for item in found if item is not None), key=lambda item: -item.score)


def _best(
    item: ObjectCloud, basis: NDArray[np.float64], plane: Plane, around: Points, gripper: Gripper,
) -> Grasp | None:
    points = item.xyz[::max(1, len(item.points) // _SAMPLES)] @ basis.T
    points[:, 2] += plane.offset_m
    top = float(np.quantile(points[:, 2], 0.95))
    tip = max(top - gripper.depth_m, _CLEAR_M)
    held = points[points[:, 2] > max(tip, top - gripper.depth_m / 2) - 0.002]
    if len(held) < _LEAST:
        return None
    centre = (held[:, :2].min(axis=0) + held[:, :2].max(axis=0)) / 2
    reach = gripper.opening_m + gripper.thickness_m + np.ptp(held[:, :2], axis=0).max()
    near = (np.abs(around[:, :2] - centre) < reach).all(axis=1) & (around[:, 2] > tip + _CLEAR_M)
    obstacles = around[near][:, :2] - centre
    flat, best = held[:, :2] - centre, None
    for angle in np.arange(_ANGLES) * np.pi / _ANGLES:
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        for score, along, offset, width in _tries(flat @ turn.T, obstacles @ turn.T, gripper):
            if best is None or score > best[0]:
                best = score, np.array([along, offset]) @ turn + centre, turn[0], width
    if best is None:
        return None
    score, place, close, width = best
    # In a heap the topmost object lies free, and of two masks the surer is more likely one object.
    score += top / _HEAP_M + item.segment.score
    position = np.array([*place, tip - plane.offset_m]) @ basis
    return Grasp(item.segment.id, position, _axes(close, basis), width, score)


def _tries(
    flat: Points, obstacles: Points, gripper: Gripper
) -> list[tuple[float, float, float, float]]:
    """
    Try the places along one line.

    :param flat: (N, 2) along the closing direction, and across it.
    :returns: score, place along and across, and width of those that are possible.
    """
    found = []
    span = np.ptp(flat[:, 1])
    for share in _OFFSETS:
        offset = share * span
        strip = flat[np.abs(flat[:, 1] - offset) < gripper.finger_m / 2]
        if len(strip) < _LEAST:
            continue
        low, high = strip[:, 0].min(), strip[:, 0].max()
        middle, width = (low + high) / 2, high - low
        outer = gripper.opening_m / 2
        if width > gripper.opening_m - 0.008:
            continue
        lane = np.abs(obstacles[:, 1] - offset) < gripper.finger_m / 2
        gap = np.abs(obstacles[:, 0] - middle)
        # Just outside the object its own sides are seen; the finger comes down beyond them.
        blocked = lane & (gap > max(width / 2 + 0.003, outer - 0.012)) & (
            gap < outer + gripper.thickness_m
        )
        hits = np.count_nonzero(blocked)
        if hits >= _BLOCKED:
            continue
        square = _slant(strip, offset)
        score = 1 - width / gripper.opening_m - abs(middle) / 0.04 - abs(offset) / 0.04 - square
        found.append((float(score), float(middle), float(offset), float(width)))
    return found


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
