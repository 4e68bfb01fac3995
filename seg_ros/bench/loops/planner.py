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

"""A way for a round base over an occupancy grid."""

from heapq import heappop, heappush
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.free_space import Grid, OCCUPIED, UNSEEN

Costs: TypeAlias = NDArray[np.float64]
Cell: TypeAlias = tuple[int, int]

_LETHAL, _UNKNOWN, _CLOSE = 1e6, 3.0, 10.0
_BAND_M = 0.15      # beyond the base's radius, where going costs more
_AHEAD = 5          # cells of the plan that are gone at once


def next_heading(
    seen: NDArray[np.int8], grid: Grid, radius_m: float, place: NDArray[np.float64],
    goal: NDArray[np.float64],
) -> float | None:
    """
    Plan a way, and return where the base may go straight now.

    A base that something has come close to may leave, but nowhere that is closer.

    :param seen: int8 (size, size) as of `free_space`, around the grid's middle.
    :param radius_m: of the base.
    :param place: of the base, x and y in metres.
    :param goal: x and y in metres.
    :returns: radians; None where every way leads through something.
    """
    # Half the resolution is enough for a plan, and a quarter of the work.
    side_m, cells = 2 * grid.cell_m, grid.size // 2
    costs = _costs(seen, grid.cell_m, radius_m).reshape(cells, 2, cells, 2).max(axis=(1, 3))
    start, end = (_cell(each, grid.reach_m, side_m) for each in (place, goal))
    way = shortest_way(costs, start, end)
    if len(way) < 2 or costs[way[1]] >= max(_LETHAL, costs[start]):
        return None
    row, column = _in_sight(costs, way)
    target = np.array([column + 0.5, row + 0.5]) * side_m - grid.reach_m
    return float(np.arctan2(*(target - place)[::-1]))


def _cell(place: NDArray[np.float64], reach_m: float, side_m: float) -> Cell:
    column, row = ((place + reach_m) / side_m).astype(int).tolist()
    return row, column


def _costs(seen: NDArray[np.int8], cell_m: float, radius_m: float) -> Costs:
    """Return what each cell costs the base's centre: the more, the closer it is to something."""
    clear_m = cell_m * cv2.distanceTransform(
        (seen != OCCUPIED).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    ).astype(float)
    gap_m = clear_m - (radius_m + cell_m)   # both may be half a cell nearer than their centres
    costs = np.where(seen == UNSEEN, _UNKNOWN, 1.0) + _CLOSE * np.clip(1 - gap_m / _BAND_M, 0, 1)
    return np.asarray(np.where(gap_m < 0, _LETHAL * (1 - gap_m / radius_m), costs))


def _in_sight(costs: Costs, way: list[Cell]) -> Cell:
    """Return the farthest of the next cells that a straight line leads to without a touch."""
    start, *further = way[:_AHEAD + 1]
    for cell in further[:0:-1]:
        line = np.rint(np.linspace(start, cell, 2 * _AHEAD)).astype(int)
        if costs[line[:, 0], line[:, 1]].max() < _LETHAL:
            return cell
    return further[0]


def shortest_way(costs: Costs, start: Cell, end: Cell) -> list[Cell]:
    """Return the cheapest way over a grid from start to end (Dijkstra 1959, eight neighbours)."""
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
    way = [end]
    while way[-1] in came:
        way.append(came[way[-1]])
    return way[::-1]
