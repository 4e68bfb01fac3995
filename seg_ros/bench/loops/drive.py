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

"""A base that crosses a room among furniture and people, by a grid of what it sees."""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.bench.loops.crossing import BASE_RADIUS_M, Crossing, EYE_M, REACH_M, Sight
from seg_ros.bench.loops.masks import MaskSource
from seg_ros.depth.free_space import free_space, Grid, OCCUPIED, UNSEEN
from seg_ros.depth.ground import Ground, ground_of, ground_plane, plane_from_height
from seg_ros.sim.classes import CARD

Row: TypeAlias = dict[str, Any]
Costmap: TypeAlias = Callable[[Sight], NDArray[np.int8]]

PLAIN = 'plain costmap of depth'
STEP_S = 0.25
STEPS = 120
_SPEED_M_S = 0.5
_GRID = Grid(cell_m=0.05, reach_m=REACH_M)
_FORGET = 12        # steps after which an occupied cell that is not seen again is free to try
_LETHAL, _UNKNOWN = 1e6, 3.0


def drives(sources: Mapping[str, MaskSource], seeds: int) -> dict[str, Row]:
    """
    Drive across rooms by `free_space` and by a costmap of depth alone.

    The plain costmap takes every point above the floor for an obstacle and all before it for free,
    with the same planner and the camera's true height.

    :returns: for each costmap collisions (steps in touch with something), arrivals and metres.
    """
    costmaps: dict[str, Costmap] = {PLAIN: _plain}
    for name, source in sources.items():
        costmaps[f'free_space, {name}'] = _with_masks(source)
    found: dict[str, Row] = {
        f'drive, {name}': {'collisions': [], 'arrived': [], 'path_m': []} for name in costmaps
    }
    for seed in range(seeds):
        for name, costmap in costmaps.items():
            crossing = Crossing(seed)
            try:
                outcome = _drive(crossing, costmap)
            finally:
                crossing.close()
            for key, value in outcome.items():
                found[f'drive, {name}'][key].append(value)
    return found


def _drive(crossing: Crossing, costmap: Costmap) -> Row:
    """Look, remember, plan and move, until the goal or the end of time."""
    seen = np.full((_GRID.size, _GRID.size), UNSEEN, np.int8)
    age = np.zeros(seen.shape, np.int32)
    collisions, path_m, touching = 0, 0.0, False
    for _ in range(STEPS):
        now = costmap(crossing.look())
        fresh = now != UNSEEN
        seen[fresh], age[fresh] = now[fresh], 0
        age += 1
        seen[(seen == OCCUPIED) & (age > _FORGET)] = UNSEEN
        heading = _next_heading(seen, crossing.place, crossing.goal)
        speed_m_s = _SPEED_M_S if heading is not None else 0.0
        path_m += crossing.advance(heading or 0.0, speed_m_s, STEP_S)
        if crossing.touches() and not touching:
            collisions += 1
        touching = crossing.touches()
        if np.hypot(*(crossing.goal - crossing.place)) < 0.4:
            return {'collisions': collisions, 'arrived': True, 'path_m': round(path_m, 1)}
    return {'collisions': collisions, 'arrived': False, 'path_m': round(path_m, 1)}


def _with_masks(source: MaskSource) -> Costmap:
    def costmap(sight: Sight) -> NDArray[np.int8]:
        masks = source(sight.frame, sight.truth)
        assert masks.classes is not None
        plane = ground_plane(sight.metres, sight.camera, masks.classes, CARD)
        plane = plane or plane_from_height(EYE_M, sight.pitch)
        ground = ground_of(sight.metres, sight.camera, masks.classes, CARD, plane, 2)
        return free_space(ground, sight.pose, _GRID)

    return costmap


def _plain(sight: Sight) -> NDArray[np.int8]:
    """Mark and clear by depth alone, as an obstacle layer does; all that is flat is free."""
    everything = np.ones(sight.metres[::2, ::2].shape, bool)
    plane = plane_from_height(EYE_M, sight.pitch)
    flat = Ground(sight.metres[::2, ::2].copy(), sight.camera.of_every(2), everything, plane)
    high = flat.height_m > 0.1
    ground = Ground(flat.metres, flat.camera, ~high, plane)
    return free_space(ground, sight.pose, _GRID)


def _next_heading(
    seen: NDArray[np.int8], place: NDArray[np.float64], goal: NDArray[np.float64]
) -> float | None:
    """Plan a way over the grid; returns where its first half metre leads, None where none is."""
    inflated = cv2.dilate(
        (seen == OCCUPIED).astype(np.uint8),
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _radius_cells() + 1,) * 2),
    )
    costs = np.where(inflated > 0, _LETHAL, np.where(seen == UNSEEN, _UNKNOWN, 1.0))
    # Half the resolution is enough for a plan, and a quarter of the work.
    coarse = costs.reshape(_GRID.size // 2, 2, _GRID.size // 2, 2).max(axis=(1, 3))
    start, end = (
        tuple(((each[::-1] + REACH_M) / (2 * _GRID.cell_m)).astype(int)) for each in (place, goal)
    )
    way = shortest_way(coarse, start, end)
    if len(way) < 2:
        return None
    row, column = way[min(5, len(way) - 1)]
    target = np.array([column + 0.5, row + 0.5]) * 2 * _GRID.cell_m - REACH_M
    if coarse[way[1]] >= _LETHAL:
        return None
    return float(np.arctan2(*(target - place)[::-1]))


def _radius_cells() -> int:
    return round((BASE_RADIUS_M + 0.1) / _GRID.cell_m)


def shortest_way(
    costs: NDArray[np.float64], start: tuple[int, ...], end: tuple[int, ...]
) -> list[tuple[int, ...]]:
    """Return the cheapest way over a grid from start to end (Dijkstra 1959, eight neighbours)."""
    best = {start: 0.0}
    came: dict[tuple[int, ...], tuple[int, ...]] = {}
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
