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

"""Measures maps of a room with walking people, and of a table without the object to grasp."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.bench.loops.masks import MaskSource
from seg_ros.bench.loops.octomap import (
    INSTALLED,
    occupied,
    Voxels,
    voxels,
    with_neighbours,
    world_points,
)
from seg_ros.bench.loops.sequence import Exposure
from seg_ros.bench.loops.target import depths_without_target, Look, own_voxels, record_table
from seg_ros.bench.loops.walk import depths_by_kind, dynamic_pixels, record
from seg_ros.depth.intrinsics import Intrinsics

Row: TypeAlias = dict[str, Any]

_ROOM_VOXEL_M, _ROOM_M = 0.05, 5.0     # voxel size, maximum depth
_TABLE_VOXEL_M, _TABLE_M = 0.01, 1.5
_EVERY, _TABLE_EVERY = 3, 4     # every third or fourth image is mapped


def mappings(sources: Mapping[str, MaskSource], seeds: int) -> dict[str, Row]:
    """
    Measure ghosts in maps of rooms, and remains of the target in maps of tables.

    :returns: empty if pyoctomap is not installed.
    """
    return {**_ghosts(sources, seeds), **_targets(sources, seeds)} if INSTALLED else {}


def _ghosts(sources: Mapping[str, MaskSource], seeds: int) -> dict[str, Row]:
    """
    Measure the share of ghosts in an OctoMap built from true poses.

    A ghost is an occupied voxel without a point of the static scene in it or its neighbours.

    :returns: for each kind of depth the share of every seed and their median in percent.
    """
    found: dict[str, Row] = {}
    for seed in range(seeds):
        exposures, camera = record(seed)
        mapped_ones = exposures[::_EVERY]
        real = _static_voxels(mapped_ones, camera)
        for kind, depths in depths_by_kind(exposures, sources).items():
            row = found.setdefault(f'mapping, {kind}', {'ghosts_%': [], 'voxels': []})
            mapped = occupied(_clouds(
                mapped_ones, depths[::_EVERY], camera, _ROOM_M
            ), _ROOM_VOXEL_M)
            row['ghosts_%'].append(round(100 * len(mapped - real) / max(1, len(mapped)), 2))
            row['voxels'].append(len(mapped))
    for row in found.values():
        row['ghosts_%_median'] = median(row['ghosts_%'])
    return found


def _static_voxels(exposures: Sequence[Exposure], camera: Intrinsics) -> Voxels:
    """Return all voxels of the true static scene and their neighbours."""
    static = [
        np.where(dynamic_pixels(each.truth), 0, each.depth_mm).astype(np.uint16)
        for each in exposures
    ]
    found: Voxels = set()
    for points, _ in _clouds(exposures, static, camera, _ROOM_M):
        found |= voxels(points, _ROOM_VOXEL_M)
    return with_neighbours(found)


def _targets(sources: Mapping[str, MaskSource], seeds: int) -> dict[str, Row]:
    """
    Map tables from `scene/depth` and count the remaining voxels of the target.

    :returns: for each kind of depth and every seed, how many of the target's voxels are occupied
        (`left`) and how many there are (`of`); see `own_voxels`.
    """
    found: dict[str, Row] = {}
    for seed in range(seeds):
        looks, camera = record_table(seed)
        mapped_ones = looks[::_TABLE_EVERY]
        own = own_voxels(mapped_ones, camera, _TABLE_VOXEL_M, _TABLE_M)
        for kind, depths in depths_without_target(looks, sources).items():
            row = found.setdefault(f'mapping, target, {kind}', {'left': [], 'of': []})
            mapped = occupied(_clouds(
                mapped_ones, depths[::_TABLE_EVERY], camera, _TABLE_M
            ), _TABLE_VOXEL_M)
            row['left'].append(len(own & mapped))
            row['of'].append(len(own))
    return found


def _clouds(
    views: Sequence[Exposure | Look], depths: Sequence[NDArray[np.uint16]], camera: Intrinsics,
    far_m: float,
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Convert depth images with known poses to world points; yield these and camera positions."""
    for each, depth in zip(views, depths, strict=True):
        metres = depth.astype(np.float32) * np.float32(0.001)
        yield world_points(metres, each.pose, camera, far_m), each.pose[:3, 3]
