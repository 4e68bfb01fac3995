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

"""Where two fingers can close on an object, and how well, seen from above."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.rim import Rim

Points: TypeAlias = NDArray[Any]

LEAST = 6               # points between the fingers
_OFFSETS = (-0.3, -0.15, 0.0, 0.15, 0.3)     # along the fingers' line, of the object's length
_BLOCKED = 3            # points where a finger comes down that rule a grip out
_LEAST_ROOM_M = 0.004   # between the object and each finger
_ROOM_M = 0.012         # likewise: more is no better
_THIN_M = 0.008         # what is thinner may be a sliver of something
_OFF_M = 0.04           # from the object's middle, that costs as much as no room at all
_ALONE = 2.0            # how much more it is worth that nothing else is gripped


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
class Lanes:
    """
    What is above the fingers' tips, (N, 2) along the closing direction and across it.

    :param held: of the object, where the fingers hold it, without its rim.
    :param own: of the object, as densely as others.
    :param rim: that the object reaches beyond `held`.
    """

    held: Points
    own: Points
    others: Points
    rim: Rim

    def turned(self, turn: NDArray[np.float64]) -> 'Lanes':
        """Return the same with the fingers turned, by a matrix (2, 2)."""
        return Lanes(
            self.held @ turn.T, self.own @ turn.T, self.others @ turn.T,
            replace(self.rim, view=turn @ self.rim.view),
        )


@dataclass(frozen=True)
class Grip:
    """
    Where the fingers close.

    :param score: the higher the better.
    :param along_m: of the middle between the fingers, along the closing direction.
    :param across_m: likewise, across it.
    :param width_m: of the object between the fingers.
    """

    score: float
    along_m: float
    across_m: float
    width_m: float


def grips_along(lanes: Lanes, gripper: Gripper) -> Iterator[Grip]:
    """
    Try places along one closing direction.

    A grip is possible where the object fits between the fingers and nothing that is seen stands
    where they come down. The best leaves room on both sides, is near the object's middle, holds
    it by a finger's whole width and nothing else with it, and has sides that face each other
    squarely (antipodal: Nguyen 1988).
    """
    span = np.ptp(lanes.held[:, 1])
    below, above = map(float, lanes.rim.ends_m(np.array([1.0, 0.0])))
    for share in _OFFSETS:
        offset = float(share * span)
        strip = _lane(lanes.held, offset, gripper)
        if len(strip) < LEAST:
            continue
        low, high = strip[:, 0].min() - below, strip[:, 0].max() + above
        middle, width = float(low + high) / 2, float(high - low)
        if gripper.opening_m - width < 2 * _LEAST_ROOM_M:
            continue
        own, others = (
            np.abs(_lane(each, offset, gripper)[:, 0] - middle)
            for each in (lanes.own, lanes.others)
        )
        if _is_clear(np.concatenate([own, others]), width, gripper):
            score = _quality(strip, offset, (gripper.opening_m - width) / 2, gripper)
            score += _ALONE * _purity(own, others, gripper)
            yield Grip(score - (abs(middle) + abs(offset)) / _OFF_M, middle, offset, width)


def _lane(points: Points, offset: float, gripper: Gripper) -> Points:
    """Return the points that pass between the fingers, or below one."""
    return np.asarray(points[np.abs(points[:, 1] - offset) < gripper.finger_m / 2])


def _is_clear(gaps: Points, width: float, gripper: Gripper) -> bool:
    """
    Return whether nothing stands where the fingers come down.

    :param gaps: distances of all points in the lane from the grip's middle.
    """
    outer = gripper.opening_m / 2
    # Just outside the object its own sides are seen; the finger comes down beyond them.
    inner = max(width / 2 + 0.003, outer - 0.012)
    blocked = np.count_nonzero((gaps > inner) & (gaps < outer + gripper.thickness_m))
    return bool(blocked < _BLOCKED)


def _quality(strip: Points, offset: float, room_m: float, gripper: Gripper) -> float:
    """Return how well the fingers hold the points between them, with room on either side."""
    width, held = map(float, np.ptp(strip, axis=0))
    return (
        min(1.0, room_m / _ROOM_M) + min(1.0, width / _THIN_M)
        + min(1.0, held / (0.8 * gripper.finger_m)) - _slant(strip, offset)
    )


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
