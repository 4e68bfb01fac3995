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

"""Path planning for a round base on an occupancy grid."""

from heapq import heappop, heappush
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.free_space import Grid, OCCUPIED, UNSEEN

Costs: TypeAlias = NDArray[np.float64]
Cell: TypeAlias = tuple[int, int]

_LETHAL, _UNKNOWN, _CLOSE = 1e6, 3.0, 10.0
_BUFFER_M = 0.15    # beyond the base's radius, where cells cost more
_LOOKAHEAD = 5      # cells of the path that may be driven straight


def next_heading(
    seen: NDArray[np.int8], grid: Grid, radius_m: float, place: NDArray[np.float64],
    goal: NDArray[np.float64],
) -> float | None:
    """
    Plan a path, and return the heading in which the base can drive straight now.

    A base that is too close to an obstacle may drive away from it, but not closer to one.

    :param seen: int8 (size, size), as from `free_space`, with the origin in the middle.
    :param radius_m: radius of the base.
    :param place: position of the base, x and y in metres.
    :param goal: x and y in metres.
    :returns: radians; None if every path is blocked.
    """
    # Half the resolution is enough for planning and takes a quarter of the time.
    side_m, cells = 2 * grid.cell_m, grid.size // 2
    costs = _costs(seen, grid.cell_m, radius_m).reshape(cells, 2, cells, 2).max(axis=(1, 3))
    start, end = (_cell(each, grid.reach_m, side_m) for each in (place, goal))
    path = shortest_way(costs, start, end)
    if len(path) < 2 or costs[path[1]] >= max(_LETHAL, costs[start]):
        return None
    row, column = _in_sight(costs, path)
    target = np.array([column + 0.5, row + 0.5]) * side_m - grid.reach_m
    return float(np.arctan2(*(target - place)[::-1]))


def _cell(place: NDArray[np.float64], reach_m: float, side_m: float) -> Cell:
    column, row = ((place + reach_m) / side_m).astype(int).tolist()
    return row, column


def _costs(seen: NDArray[np.int8], cell_m: float, radius_m: float) -> Costs:
    """Return the cost of each cell for the base's centre, which rises near obstacles."""
    clear_m = cell_m * cv2.distanceTransform(
        (seen != OCCUPIED).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    ).astype(float)
    gap_m = clear_m - (radius_m + cell_m)   # base and obstacle may each be half a cell nearer
    costs = np.where(seen == UNSEEN, _UNKNOWN, 1.0) + _CLOSE * np.clip(1 - gap_m / _BUFFER_M, 0, 1)
    return np.asarray(np.where(gap_m < 0, _LETHAL * (1 - gap_m / radius_m), costs))


def _in_sight(costs: Costs, path: list[Cell]) -> Cell:
    """Return the farthest of the next cells that can be reached straight without contact."""
    start, *further = path[:_LOOKAHEAD + 1]
    for cell in further[:0:-1]:
        line = np.rint(np.linspace(start, cell, 2 * _LOOKAHEAD)).astype(int)
        if costs[line[:, 0], line[:, 1]].max() < _LETHAL:
            return cell
    return further[0]


def shortest_way(costs: Costs, start: Cell, end: Cell) -> list[Cell]:
    """Return the cheapest path on a grid from start to end (Dijkstra 1959, eight neighbours)."""
    best = {start: 0.0}
    came: dict[Cell, Cell] = {}
    queue = [(0.0, start)]
    steps = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]
    while queue:
        cost, cell = heappop(queue)
        if cell == end:
            break
        if cost > best[cell]:
            continue
        for y, x in steps:
            other = cell[0] + y, cell[1] + x
            if not (0 <= other[0] < costs.shape[0] and 0 <= other[1] < costs.shape[1]):
                continue
            further = cost + float(costs[other]) * (1.414 if y and x else 1.0)
            if further < best.get(other, np.inf):
                best[other], came[other] = further, cell
                heappush(queue, (further, other))
    path = [end]
    while path[-1] in came:
        path.append(came[path[-1]])
    return path[::-1]
