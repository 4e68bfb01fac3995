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

"""Grasp candidates of a two-finger gripper along one closing direction, seen from above."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.rim import Rim

Points: TypeAlias = NDArray[Any]

MIN_POINTS = 6          # minimum points between the fingers
_OFFSETS = (-0.3, -0.15, 0.0, 0.15, 0.3)     # across the closing direction, of the object's length
_BLOCKING = 3           # points where a finger comes down that rule a candidate out
_MIN_ROOM_M = 0.004     # between the object and each finger
_ROOM_M = 0.012         # likewise; more room does not raise the score
_THIN_M = 0.008         # anything thinner may be a sliver of an object
_OFFSET_M = 0.04        # offset from the object's middle that costs as much as having no room
_PURITY_WEIGHT = 2.0    # of the share of grasped points that belong to the object


@dataclass(frozen=True)
class Gripper:
    """
    A parallel gripper with two fingers.

    :param opening_m: maximum distance between the fingers.
    :param finger_m: width of a finger, across the closing direction.
    :param thickness_m: thickness of a finger, along the closing direction.
    :param depth_m: how far the fingers may reach below an object's top.
    """

    opening_m: float = 0.08
    finger_m: float = 0.02
    thickness_m: float = 0.012
    depth_m: float = 0.035


@dataclass(frozen=True, eq=False)
class GraspPoints:
    """
    Points above the fingertips, each (N, 2): along the closing direction and across it.

    :param held: points of the object where the fingers hold it, without its rim.
    :param own: points of the object, as dense as `others`.
    :param others: points of everything else.
    :param rim: how far the object reaches beyond `held`.
    """

    held: Points
    own: Points
    others: Points
    rim: Rim

    def turned(self, turn: NDArray[np.float64]) -> 'GraspPoints':
        """Return the same points with the fingers rotated by a matrix (2, 2)."""
        return GraspPoints(
            self.held @ turn.T, self.own @ turn.T, self.others @ turn.T,
            replace(self.rim, view=turn @ self.rim.view),
        )


@dataclass(frozen=True)
class GraspCandidate:
    """
    A place where the fingers may close.

    :param score: higher is better.
    :param along_m: position of the midpoint between the fingers, along the closing direction.
    :param across_m: position of the midpoint across the closing direction.
    :param width_m: width of the object between the fingers.
    """

    score: float
    along_m: float
    across_m: float
    width_m: float


def candidates_along(points: GraspPoints, gripper: Gripper) -> Iterator[GraspCandidate]:
    """
    Yield the possible grasps along one closing direction.

    A grasp is possible where the object fits between the fingers and nothing visible is in the way
    of the descending fingers. A good grasp leaves room on both sides, is near the object's middle,
    uses the whole width of the fingers, holds nothing else, and has contact faces that are
    parallel (antipodal: Nguyen 1988).
    """
    span = np.ptp(points.held[:, 1])
    below, above = map(float, points.rim.ends_m(np.array([1.0, 0.0])))
    for share in _OFFSETS:
        offset = float(share * span)
        strip = _strip(points.held, offset, gripper)
        if len(strip) < MIN_POINTS:
            continue
        low, high = strip[:, 0].min() - below, strip[:, 0].max() + above
        middle, width = float(low + high) / 2, float(high - low)
        if gripper.opening_m - width < 2 * _MIN_ROOM_M:
            continue
        own, others = (
            np.abs(_strip(each, offset, gripper)[:, 0] - middle)
            for each in (points.own, points.others)
        )
        if _is_clear(np.concatenate([own, others]), width, gripper):
            score = _quality(strip, offset, (gripper.opening_m - width) / 2, gripper)
            score += _PURITY_WEIGHT * _purity(own, others, gripper)
            score -= (abs(middle) + abs(offset)) / _OFFSET_M
            yield GraspCandidate(score, middle, offset, width)


def _strip(points: Points, offset: float, gripper: Gripper) -> Points:
    """Return the points within a finger's width of the offset, between or under the fingers."""
    return np.asarray(points[np.abs(points[:, 1] - offset) < gripper.finger_m / 2])


def _is_clear(gaps: Points, width: float, gripper: Gripper) -> bool:
    """
    Return whether the descending fingers meet no points.

    :param gaps: distances from the grasp's middle to all points in the strip.
    """
    outer = gripper.opening_m / 2
    # The object's own sides show just outside its width; the finger comes down beyond them.
    inner = max(width / 2 + 0.003, outer - 0.012)
    blocked = np.count_nonzero((gaps > inner) & (gaps < outer + gripper.thickness_m))
    return bool(blocked < _BLOCKING)


def _quality(strip: Points, offset: float, room_m: float, gripper: Gripper) -> float:
    """Score how well the fingers hold the points between them, given the room on each side."""
    width, held = map(float, np.ptp(strip, axis=0))
    return (
        min(1.0, room_m / _ROOM_M) + min(1.0, width / _THIN_M)
        + min(1.0, held / (0.8 * gripper.finger_m)) - _slant(strip, offset)
    )


def _purity(own: Points, others: Points, gripper: Gripper) -> float:
    """Return the share of the points between the fingers that belong to the object."""
    outer = gripper.opening_m / 2
    mine, theirs = (int(np.count_nonzero(each < outer)) for each in (own, others))
    return mine / max(1, mine + theirs)


def _slant(strip: Points, offset: float) -> float:
    """Return how far the contact faces are from being parallel, 0 to 2."""
    left, right = strip[strip[:, 1] < offset, 0], strip[strip[:, 1] >= offset, 0]
    if len(left) < 2 or len(right) < 2:
        return 1.0
    shift = abs(left.min() - right.min()) + abs(left.max() - right.max())
    return min(2.0, float(shift) / 0.01)
