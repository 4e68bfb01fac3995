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

"""The base that crosses a room: its planner, its memory, and the people it meets."""

import numpy as np
import pytest
from seg_ros.bench.loops.planner import next_heading
from seg_ros.depth.free_space import FREE, Grid, OCCUPIED, UNSEEN

GRID, RADIUS_M = Grid(0.05, 2.0), 0.22
GOAL = np.array([1.5, 1.5])


def gap_m(seen, place):
    """Return the distance from a place to the nearest point of an occupied cell."""
    rows, columns = np.nonzero(seen == OCCUPIED)
    low = np.stack([columns, rows], 1) * GRID.cell_m - GRID.reach_m
    return np.linalg.norm(np.clip(place, low, low + GRID.cell_m) - place, axis=1).min()


def cluttered(seed):
    random = np.random.RandomState(seed)
    seen = np.full((GRID.size, GRID.size), FREE, np.int8)
    for x, y in random.uniform(-1, 1, (4, 2)):
        column, row = int((x + 2) / 0.05), int((y + 2) / 0.05)
        seen[row:row + 6, column:column + 4] = OCCUPIED
    return seen


@pytest.mark.parametrize('seed', range(5))
def test_a_base_reaches_its_goal_and_touches_no_occupied_cell(seed):
    seen, place = cluttered(seed), np.array([-1.5, -1.5])
    for _ in range(80):
        heading = next_heading(seen, GRID, RADIUS_M, place, GOAL)
        if heading is None:
            break
        place = place + 0.1 * np.array([np.cos(heading), np.sin(heading)])
        assert gap_m(seen, place) > RADIUS_M
        if np.hypot(*(GOAL - place)) < 0.3:
            break
    assert np.hypot(*(GOAL - place)) < 0.3


def test_nothing_in_the_way_leads_straight_to_the_goal():
    seen = np.full((GRID.size, GRID.size), UNSEEN, np.int8)
    assert next_heading(seen, GRID, RADIUS_M, -GOAL, GOAL) == pytest.approx(np.pi / 4, abs=0.1)


def test_a_base_that_something_came_close_to_leaves_it():
    seen = np.full((GRID.size, GRID.size), FREE, np.int8)
    seen[40:44, 44:46] = OCCUPIED       # 0.2 m ahead of the middle, towards the goal
    place = np.zeros(2)
    heading = next_heading(seen, GRID, RADIUS_M, place, GOAL)
    assert heading is not None
    step = 0.1 * np.array([np.cos(heading), np.sin(heading)])
    assert gap_m(seen, place + step) > gap_m(seen, place)


def test_a_base_that_is_shut_in_stays():
    seen = np.full((GRID.size, GRID.size), FREE, np.int8)
    seen[28:52, 28:52] = OCCUPIED
    seen[32:48, 32:48] = FREE
    assert next_heading(seen, GRID, RADIUS_M, np.zeros(2), GOAL) is None


def simulated():
    pytest.importorskip('pybullet', reason='simulated worlds need PyBullet, the extra [sim]')


def test_what_the_camera_no_longer_sees_is_remembered_until_a_whole_turn_does_not_show_it():
    simulated()
    from seg_ros.bench.loops.drive import Memory

    memory = Memory()
    blank = np.full(memory.seen.shape, UNSEEN, np.int8)
    first = blank.copy()
    first[5, 5] = OCCUPIED
    memory.add(first)
    for _ in range(100):
        memory.add(blank)
        memory.stuck(False)
    assert memory.seen[5, 5] == OCCUPIED
    for _ in range(20):
        memory.add(blank)
        memory.stuck(True)
    assert (memory.seen == UNSEEN).all()


def test_people_neither_walk_into_a_base_that_stands_in_their_way_nor_jump():
    simulated()
    from seg_ros.bench.loops.crossing import Crossing

    crossing = Crossing(1)
    try:
        crossing.place = np.array([0.16, -1.5])     # where a foot reaches ahead of the walker
        before = crossing.walkers_xy()
        touched, steps_m = False, []
        for _ in range(60):
            crossing.advance(0.0, 0.0, 0.25)
            touched |= crossing.touches()
            steps_m.append(np.linalg.norm(crossing.walkers_xy() - before, axis=1))
            before = crossing.walkers_xy()
    finally:
        crossing.close()
    assert not touched
    assert np.max(steps_m) < 0.1
    assert np.count_nonzero(np.array(steps_m) > 0.05) > 60      # they walk most of the time
