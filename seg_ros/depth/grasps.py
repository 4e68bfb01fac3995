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

"""Top-down antipodal grasps on object clouds, as a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.cloud import xyz_of
from seg_ros.depth.grasp_candidates import (
    candidates_along,
    GraspCandidate,
    GraspPoints,
    Gripper,
    MIN_POINTS,
)
from seg_ros.depth.objects import ObjectCloud
from seg_ros.depth.planes import Plane
from seg_ros.depth.rim import Rim

Points: TypeAlias = NDArray[Any]

_ROTATIONS = [
    np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for angle in np.arange(16) * np.pi / 16
]
_SAMPLES = 4000         # points per object used to plan its grasp
_CLEARANCE_M = 0.004    # between the fingertips and the plane
_HEIGHT_M = 0.2         # height of an object's top that adds 1 to the score; higher adds no more
_SCORE_WEIGHT = 2.0     # added to a grasp's score for a mask score of 1


@dataclass(frozen=True, eq=False)
class Grasp:
    """
    A gripper pose in the optical frame.

    :param segment_id: segment id of the object.
    :param position: float64 (3,), midpoint between the fingertips, metres.
    :param axes: float64 (3, 3), the gripper's x, y and z axes as rows: it approaches along z, its
        fingers close along y (the Franka hand's convention).
    :param width_m: width of the object between the fingers.
    :param score: higher is better.
    """

    segment_id: int
    position: NDArray[np.float64]
    axes: NDArray[np.float64]
    width_m: float
    score: float


def top_down_grasps(
    objects: Sequence[ObjectCloud], surroundings: NDArray[np.void],
    gripper: Gripper | None = None,
) -> list[Grasp]:
    """
    Find for every object the best grasp straight down onto the plane that it stands on.

    Several closing directions are tried (see `candidates_along`). A high top, a high mask score
    and many pixels with usable depth raise an object's rank, since a mask may be a sliver. Being
    cut by the image's edge lowers it, since the object's middle is then unknown.

    :param objects: objects with their points; those without a plane get no grasp.
    :param surroundings: `POINT` (N,), all visible points including the objects; finite.
    :returns: at most one grasp per object, the best first.
    """
    gripper = gripper or Gripper()
    found = []
    for plane in dict.fromkeys(item.plane for item in objects if item.plane is not None):
        scene = _scene(plane, surroundings)
        found += [
            _best(item, scene, gripper)
            for item in objects if item.plane is plane and len(item.points)
        ]
    return sorted((item for item in found if item is not None), key=lambda item: -item.score)


@dataclass(frozen=True, eq=False)
class _Scene:
    """
    All visible points in the frame of a plane.

    :param basis: axes of the plane as rows; the last is its normal.
    :param points: float64 (N, 3), two coordinates along the plane and the height above it.
    :param ids: segment ids, (N,).
    """

    plane: Plane
    basis: NDArray[np.float64]
    points: Points
    ids: NDArray[np.uint32]

    def upright(self, xyz: Points) -> Points:
        """Transform points from the optical frame to the plane's frame."""
        return _upright(xyz, self.basis, self.plane)


def _scene(plane: Plane, surroundings: NDArray[np.void]) -> _Scene:
    basis = plane.basis(np.array([0.0, 0.0, 1.0]))
    points = _upright(xyz_of(surroundings), basis, plane)
    return _Scene(plane, basis, points, surroundings['instance'])


def _upright(xyz: Points, basis: NDArray[np.float64], plane: Plane) -> Points:
    points = np.asarray(np.asarray(xyz, np.float64) @ basis.T)
    points[:, 2] += plane.offset_m
    return points


def _best(item: ObjectCloud, scene: _Scene, gripper: Gripper) -> Grasp | None:
    # Evenly spread with a fractional step: a whole one would pick the same columns in each row.
    count = len(item.points)
    chosen = np.linspace(0, count - 1, min(count, _SAMPLES)).astype(np.intp)
    points = scene.upright(item.xyz[chosen])
    top = float(np.quantile(points[:, 2], 0.95))
    floor = 0.0 if top > 0 else _floor_around(points, item.segment.id, scene, gripper)
    tip = max(top - gripper.depth_m, floor + _CLEARANCE_M)
    held = points[points[:, 2] > max(tip, top - gripper.depth_m / 2) - 0.002, :2]
    if len(held) < MIN_POINTS:
        return None
    centre = (held.min(axis=0) + held.max(axis=0)) / 2
    own, others = _points_above(tip, held, centre, item.segment.id, scene, gripper)
    reachable = GraspPoints(held - centre, own, others, _rim(item, top - floor, scene))
    best = _best_candidate(reachable, gripper)
    if best is None:
        return None
    candidate, turn = best
    place = np.array([candidate.along_m, candidate.across_m]) @ turn + centre
    position = np.array([*place, tip - scene.plane.offset_m]) @ scene.basis
    sure = min(1.0, top / _HEIGHT_M) + _SCORE_WEIGHT * item.segment.score + item.quality - item.cut
    return Grasp(
        item.segment.id, position, _axes(turn[0], scene.basis), candidate.width_m,
        candidate.score + sure,
    )


def _floor_around(points: Points, number: int, scene: _Scene, gripper: Gripper) -> float:
    """Return the floor height around an object below its plane, such as one in a bin."""
    reach = gripper.opening_m
    low, high = points[:, :2].min(axis=0) - reach, points[:, :2].max(axis=0) + reach
    near = ((scene.points[:, :2] > low) & (scene.points[:, :2] < high)).all(axis=1)
    heights = scene.points[near & (scene.ids != number), 2]
    # The median, because at a table's edge some of the surroundings are far below.
    return float(min(points[:, 2].min(), np.median(heights) if heights.size else np.inf))


def _points_above(
    tip: float, held: Points, centre: Points, number: int, scene: _Scene, gripper: Gripper
) -> tuple[Points, Points]:
    """
    Return the points above the fingertips and within their reach, relative to `centre`.

    :param held: points of the object where the fingers hold it.
    :returns: points of the object with this segment id, and of everything else.
    """
    reach = gripper.opening_m + gripper.thickness_m + np.ptp(held, axis=0).max()
    above = np.flatnonzero(scene.points[:, 2] > tip + _CLEARANCE_M)
    around = scene.points[above, :2] - centre
    near = (np.abs(around) < reach).all(axis=1)
    around, own = around[near], scene.ids[above[near]] == number
    return around[own], around[~own]


def _rim(item: ObjectCloud, height_m: float, scene: _Scene) -> Rim:
    """Return the edge that erosion removed from the object, in the axes of the scene."""
    distance = float(np.linalg.norm(item.centroid))
    view = scene.basis @ item.centroid / distance
    return Rim.of(view, np.float64(height_m), np.float64(item.eroded * distance))


def _best_candidate(
    points: GraspPoints, gripper: Gripper
) -> tuple[GraspCandidate, NDArray[np.float64]] | None:
    """Try all closing directions; return the best candidate and the rotation of its direction."""
    found = [
        (candidate, turn)
        for turn in _ROTATIONS for candidate in candidates_along(points.turned(turn), gripper)
    ]
    return max(found, key=lambda each: each[0].score, default=None)


def _axes(close: NDArray[np.float64], basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the gripper's axes: z down, y along the closing direction."""
    z, y = -basis[2], close @ basis[:2]
    return np.stack([np.cross(y, z), y, z])
