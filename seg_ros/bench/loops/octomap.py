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

"""Builds an OctoMap (PyPI pyoctomap) from clouds with known poses."""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.intrinsics import Intrinsics

Voxels: TypeAlias = set[tuple[int, int, int]]

INSTALLED = find_spec('pyoctomap') is not None
_STEP = 4           # every fourth pixel becomes a point
_NEAR_M = 0.2


def occupied(
    clouds: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]], voxel_m: float
) -> Voxels:
    """
    Build an OctoMap with ray casting and return its occupied voxels.

    :param clouds: points (N, 3) and camera position (3,) of each cloud, in the world.
    """
    import pyoctomap

    tree = pyoctomap.OcTree(voxel_m)
    for points, eye in clouds:
        tree.insertPointCloud(np.ascontiguousarray(points), eye.copy())
    found, _ = tree.extractPointCloud()
    return voxels(np.asarray(found, float).reshape(-1, 3), voxel_m)


def world_points(
    depth_m: NDArray[np.float32], pose: NDArray[np.float64], camera: Intrinsics, far_m: float
) -> NDArray[np.float64]:
    """
    Convert every fourth pixel to a world point, (N, 3).

    :param depth_m: float32 (H, W), 0 = none.
    :param pose: float64 (4, 4), from the optical frame to the world.
    :param far_m: maximum depth; farther pixels are left out.
    """
    z = depth_m[::_STEP, ::_STEP]
    across, down = camera.subsampled(_STEP).slopes_xy
    points = np.stack([z * across, z * down, z], axis=-1)[(z > _NEAR_M) & (z < far_m)]
    return np.asarray(points @ pose[:3, :3].T + pose[:3, 3])


def voxels(points: NDArray[np.float64], voxel_m: float) -> Voxels:
    """Return the voxels that points (N, 3) lie in."""
    return set(map(tuple, np.unique(np.floor(points / voxel_m).astype(int), axis=0).tolist()))


def with_neighbours(found: Voxels) -> Voxels:
    """Return voxels and all of their neighbours."""
    around = [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)]
    return {(x + i, y + j, z + k) for x, y, z in found for i, j, k in around}
