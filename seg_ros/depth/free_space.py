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

"""Free space for navigation: an occupancy grid by ray casting."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.ground import GroundSegmentation
from seg_ros.depth.registration import has_depth

FREE, OCCUPIED, UNSEEN = 0, 100, -1

_BEARINGS = 360     # bins of the full circle
_MIN_HITS = 2       # points that make a cell occupied; a single one may be noise
_MAX_GAP = 6        # rings between consecutive pixel rows, far from a low camera

Plane2D: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """
    A square grid centred on the robot's base.

    :param cell_m: side of a cell.
    :param reach_m: distance from the base to each side of the grid.
    """

    cell_m: float = 0.05
    reach_m: float = 5.0

    @property
    def size(self) -> int:
        """Cells per side."""
        return 2 * round(self.reach_m / self.cell_m)

    def cells(self, x: Plane2D, y: Plane2D) -> NDArray[np.int64]:
        """Return the flat cell index of each point inside the grid; rows are along y."""
        columns, rows = (
            np.floor((values + self.reach_m) / self.cell_m).astype(np.int64) for values in (x, y)
        )
        inside = (rows >= 0) & (rows < self.size) & (columns >= 0) & (columns < self.size)
        return np.asarray(rows[inside] * self.size + columns[inside])

    def centres_xy(self) -> tuple[Plane2D, Plane2D]:
        """Return x and y of every cell's centre, float32 (size, size) each."""
        axis = (np.arange(self.size, dtype=np.float32) + 0.5) * self.cell_m - self.reach_m
        x, y = np.meshgrid(axis, axis)
        return x, y


def free_space(
    ground: GroundSegmentation, base_from_optical: NDArray[np.float64], grid: Grid | None = None
) -> NDArray[np.int8]:
    """
    Compute an occupancy grid from one image.

    A cell is occupied if it contains an obstacle. Along each bearing from the camera, cells are
    free where ground is seen and between two stretches of ground, up to an obstacle or a drop,
    except for flat ground that is not traversable, and where the rays of pixels that are neither
    traversable nor have depth (glass, a stairwell) meet the ground. All other cells are unseen:
    behind an obstacle, outside the image, and before the first ground.
    Traversable pixels without depth (glossy floor) are ignored.

    :param ground: e.g. of every second pixel of a VGA image; each of its pixels is a ray.
    :param base_from_optical: float64 (4, 4), transforms points from the optical frame to the base
        frame, whose z points up.
    :returns: int8 (size, size), `FREE`, `OCCUPIED` or `UNSEEN`; rows along y, columns along x,
        starting at -reach_m, as in nav_msgs/OccupancyGrid.
    """
    grid = grid or Grid()
    x, y = _from_eye(ground, base_from_optical)
    eye = base_from_optical[:2, 3].astype(np.float32)
    cell_of_ray = _flat(grid, *_polar(x, y)).reshape(-1)
    obstacle, floor = np.flatnonzero(ground.obstacle), np.flatnonzero(ground.ground)
    wall = _counts(grid, cell_of_ray.take(obstacle)) >= _MIN_HITS
    if ground.drop.any():
        wall |= _counts(grid, _edges(grid, ground, x, y)) >= _MIN_HITS
    known = has_depth(ground.reached_m)
    other = np.flatnonzero(known & ~(ground.obstacle | ground.ground | ground.drop))
    clear = _clear(
        wall, _counts(grid, cell_of_ray.take(floor)), _counts(grid, cell_of_ray.take(other))
    )
    ring_of_cell = _rings_of_cells(grid, float(eye[0]), float(eye[1]))
    found = np.where(clear.reshape(-1).take(ring_of_cell), np.int8(FREE), np.int8(UNSEEN))
    standing = grid.cells(x.take(obstacle) + eye[0], y.take(obstacle) + eye[1])
    hits = np.bincount(standing, minlength=grid.size ** 2)
    found.reshape(-1)[hits >= _MIN_HITS] = OCCUPIED
    return np.asarray(found)


@lru_cache(maxsize=8)
def _rings_of_cells(grid: Grid, eye_x: float, eye_y: float) -> NDArray[np.int32]:
    """Return each cell's index in the polar table; cached because a camera's mount is fixed."""
    x, y = grid.centres_xy()
    return _flat(grid, *_polar(x - np.float32(eye_x), y - np.float32(eye_y)))


def _from_eye(
    ground: GroundSegmentation, transform: NDArray[np.float64]
) -> tuple[Plane2D, Plane2D]:
    """Return x and y from the camera along the base frame's axes, NaN where unknown."""
    x, y = (ground.reached_m * ground.camera.ray_along(axis) for axis in transform[:2, :3])
    return x, y


def _edges(
    grid: Grid, ground: GroundSegmentation, x: Plane2D, y: Plane2D
) -> NDArray[np.int32]:
    """Return the polar cells where rays that end below the ground pass through it."""
    below = ground.drop
    eye_m = np.float32(ground.plane.offset_m)
    share = eye_m / (eye_m - ground.height_m[below])
    return _flat(grid, *_polar(x[below] * share, y[below] * share)).reshape(-1)


def _polar(x: Plane2D, y: Plane2D) -> tuple[Plane2D, Plane2D]:
    ranges, bearings = cv2.cartToPolar(x, y)
    return np.asarray(ranges, np.float32), np.asarray(bearings, np.float32)


def _rings(grid: Grid) -> int:
    """Return the number of rings: they reach the corners if the camera is near the middle."""
    return int(1.5 * grid.reach_m / grid.cell_m)


def _flat(grid: Grid, ranges: NDArray[Any], bearings: NDArray[Any]) -> NDArray[np.int32]:
    """Return flat indexes into the polar table of bearings and rings."""
    rings = _rings(grid)
    # Clipped before the cast, because NaN and infinity have no integer value.
    columns = np.fmin(ranges * np.float32(1 / grid.cell_m), np.float32(rings - 1))
    rows = np.fmin(bearings * np.float32(_BEARINGS / (2 * np.pi)), np.float32(_BEARINGS - 1))
    return np.asarray(rows.astype(np.int32) * np.int32(rings) + columns.astype(np.int32))


def _counts(grid: Grid, flat: NDArray[np.int32]) -> NDArray[np.intp]:
    """Count rays by bearing and ring, (bearings, rings)."""
    counts = np.bincount(flat, minlength=_BEARINGS * _rings(grid))
    return counts.reshape(_BEARINGS, _rings(grid))


def _clear(
    wall: NDArray[np.bool_], floor: NDArray[np.intp], other: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """
    Mark, for each bearing, the ground before a wall and the gaps between stretches of ground.

    Far away, consecutive pixel rows are several cells apart, so a short gap without rays behind
    ground counts as ground whatever follows it.
    """
    rings = wall.shape[1]
    ring = np.arange(rings, dtype=np.int16)
    until = np.where(wall.any(axis=1), wall.argmax(axis=1), rings)[:, None]
    before = ring < until
    ground = (floor > 0) & (other <= floor) & before
    met, clear = np.flatnonzero((floor > 0) | (other > 0)), ground.reshape(-1).copy()
    if met.size:
        good, bearing, gaps = ground.take(met), met // rings, np.diff(met)
        filled = good[:-1] & (good[1:] | (gaps <= _MAX_GAP)) & (bearing[1:] == bearing[:-1])
        clear[met[0]:met[-1]] |= np.repeat(filled, gaps)
    return np.asarray(clear.reshape(wall.shape) & before)
