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

"""A base that crosses a room with furniture and people, using an occupancy grid."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.bench.loops.crossing import BASE_RADIUS_M, Crossing, EYE_M, REACH_M, Sight
from seg_ros.bench.loops.masks import MaskSource
from seg_ros.bench.loops.planner import next_heading
from seg_ros.depth.free_space import free_space, Grid, OCCUPIED, UNSEEN
from seg_ros.depth.ground import fit_ground, ground_segmentation, GroundSegmentation, up_from_pitch
from seg_ros.depth.planes import Plane
from seg_ros.sim.classes import CARD

Row: TypeAlias = dict[str, Any]
Costmap: TypeAlias = Callable[[Sight], NDArray[np.int8]]

PLAIN = 'plain costmap of depth'
STEP_S = 0.25
STEPS = 120
_SPEED_M_S = 0.5
_GRID = Grid(cell_m=0.05, reach_m=REACH_M)
_LOOK_AROUND = 17   # steps of a full turn on the spot


def drives(sources: Mapping[str, MaskSource], seeds: int) -> dict[str, Row]:
    """
    Drive across rooms with `free_space` and with a costmap from depth alone.

    The plain costmap treats every point above the floor as an obstacle and everything in front of
    it as free, with the same planner and the camera's true height.

    :returns: for each costmap collisions (new contacts), arrivals and path lengths in metres.
    """
    costmaps: dict[str, Costmap] = {PLAIN: _plain}
    for name, source in sources.items():
        costmaps[f'free_space, {name}'] = _with_masks(source)
    found: dict[str, Row] = {
        f'drive, {name}': {'collisions': [], 'arrived': [], 'path_m': []} for name in costmaps
    }
    for seed in range(seeds):
        for name, costmap in costmaps.items():
            with closing(Crossing(seed)) as crossing:
                outcome = _drive(crossing, costmap)
            for key, value in outcome.items():
                found[f'drive, {name}'][key].append(value)
    return found


def _drive(crossing: Crossing, costmap: Costmap) -> Row:
    """Look, update the memory, plan and move until the goal is reached or the steps run out."""
    memory = Memory()
    collisions, path_m, touching = 0, 0.0, False
    for _ in range(STEPS):
        memory.add(costmap(crossing.look()))
        heading = next_heading(memory.seen, _GRID, BASE_RADIUS_M, crossing.place, crossing.goal)
        memory.stuck(heading is None)
        if heading is None:
            crossing.advance(crossing.heading + 1.0, 0.0, STEP_S)
        else:
            path_m += crossing.advance(heading, _SPEED_M_S, STEP_S)
        touched = crossing.touches()
        collisions += touched and not touching
        touching = touched
        if np.hypot(*(crossing.goal - crossing.place)) < 0.4:
            return {'collisions': collisions, 'arrived': True, 'path_m': round(path_m, 1)}
    return {'collisions': collisions, 'arrived': False, 'path_m': round(path_m, 1)}


class Memory:
    """Last observation of every cell: the camera does not see what is next to the base."""

    def __init__(self) -> None:
        self.seen = np.full((_GRID.size, _GRID.size), UNSEEN, np.int8)
        self._age = np.zeros(self.seen.shape, np.int32)
        self._stuck = 0

    def add(self, now: NDArray[np.int8]) -> None:
        """Add the observed cells of one image."""
        fresh = now != UNSEEN
        self._age += 1
        self.seen[fresh], self._age[fresh] = now[fresh], 0

    def stuck(self, stuck: bool) -> None:
        """Forget the obstacles that were not seen again during a full turn on the spot."""
        self._stuck = self._stuck + 1 if stuck else 0
        if self._stuck > _LOOK_AROUND:
            self.seen[(self.seen == OCCUPIED) & (self._age > _LOOK_AROUND)] = UNSEEN


def _with_masks(source: MaskSource) -> Costmap:
    def costmap(sight: Sight) -> NDArray[np.int8]:
        classes = source(sight.frame, sight.truth).part('classes')
        plane = fit_ground(sight.metres, sight.camera, classes, CARD).plane
        plane = plane or _level_floor(sight)
        ground = ground_segmentation(sight.metres, sight.camera, classes, CARD, plane, 2)
        return free_space(ground, sight.pose, _GRID)

    return costmap


def _level_floor(sight: Sight) -> Plane:
    return Plane(up_from_pitch(sight.pitch), EYE_M)


def _plain(sight: Sight) -> NDArray[np.int8]:
    """Mark and clear by depth alone, like an obstacle layer; everything flat is free."""
    everything = np.ones(sight.metres[::2, ::2].shape, bool)
    plane = _level_floor(sight)
    flat = GroundSegmentation(
        sight.metres[::2, ::2].copy(), sight.camera.subsampled(2), everything, plane
    )
    high = flat.height_m > 0.1
    ground = GroundSegmentation(flat.metres, flat.camera, ~high, plane)
    return free_space(ground, sight.pose, _GRID)
