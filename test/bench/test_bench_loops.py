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

"""What the closed loops are measured with, against textbooks."""

from itertools import pairwise, product
import os
import sys

import numpy as np
import pytest
from seg_ros.bench.loops import rtabmap
from seg_ros.bench.loops.planner import shortest_way
from seg_ros.bench.loops.trajectory import trajectory_error_m
from seg_ros.core.errors import SettingError
from seg_ros.depth.intrinsics import Intrinsics


def turn(angle):
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def test_a_trajectory_that_is_turned_and_shifted_has_no_error():
    truth = np.random.RandomState(0).normal(size=(50, 3))
    moved = truth @ turn(0.7).T + (1, -2, 3)
    assert trajectory_error_m(moved, truth) == pytest.approx(0, abs=1e-12)


def test_the_error_is_that_of_scipys_alignment():
    spatial = pytest.importorskip('scipy.spatial.transform', reason='scipy is not installed')
    random = np.random.RandomState(1)
    truth = random.normal(size=(80, 3))
    estimate = truth @ turn(-0.4).T + 0.1 * random.normal(size=(80, 3))
    _, rssd = spatial.Rotation.align_vectors(truth - truth.mean(0), estimate - estimate.mean(0))
    assert trajectory_error_m(estimate, truth) == pytest.approx(rssd / np.sqrt(80), rel=1e-6)


def test_a_mirrored_trajectory_is_not_mirrored_back():
    truth = np.random.RandomState(2).normal(size=(50, 3))
    assert trajectory_error_m(truth * (1, 1, -1), truth) > 0.3


TOOL = """#!{python}
import pathlib, sys
import cv2
folder = pathlib.Path(sys.argv[-1])
names = sorted(path.name for path in (folder / 'rgb_sync').iterdir())
assert names == sorted(path.name for path in (folder / 'depth_sync').iterdir())
rows = []
for name in names[1:]:      # the first is lost
    image = cv2.imread(str(folder / 'rgb_sync' / name))
    depth = cv2.imread(str(folder / 'depth_sync' / name), cv2.IMREAD_UNCHANGED)
    assert image.shape == (480, 640, 3) and depth.shape == (480, 640)
    # Where the tool's camera, fx 535.4 fy 539.2 cx 320.1 cy 247.6, looks along (0.2, 0.1, 1).
    row, column = round(247.6 + 53.92), round(320.1 + 107.08)
    rows.append((name[:-4], image[row, column, 2], depth[row, column], 0, 0, 0, 0, 1))
(folder / 'rtabmap_poses.txt').write_text(
    '#timestamp x y z qx qy qz qw\\n' + '\\n'.join(' '.join(map(str, row)) for row in rows))
"""


def test_rtabmaps_tool_gets_what_its_camera_would_have_seen(tmp_path, monkeypatch):
    tool = tmp_path / rtabmap.TOOL
    tool.write_text(TOOL.format(python=sys.executable))
    tool.chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path), prepend=os.pathsep)
    assert rtabmap.installed()
    camera = Intrinsics(300.0, 300.0, 239.5, 179.5, (360, 480))
    red = np.zeros((360, 480, 3), np.uint8)
    red[205:215, 295:305, 0] = 255      # around 179.5 + 30, 239.5 + 60
    depth = np.full((360, 480), 500, np.uint16)
    depth[205:215, 295:305] = 2000
    places = rtabmap.track([red] * 3, [depth] * 3, [1.0, 1.033333, 1.066667], camera)
    assert {number: place.tolist() for number, place in places.items()} == {
        1: [255, 10000, 0], 2: [255, 10000, 0],
    }


def test_a_tool_that_fails_is_reported_with_its_last_words(tmp_path, monkeypatch):
    tool = tmp_path / rtabmap.TOOL
    tool.write_text('#!/bin/sh\necho "no such camera"; exit 1\n')
    tool.chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path), prepend=os.pathsep)
    camera = Intrinsics(300.0, 300.0, 239.5, 179.5, (360, 480))
    with pytest.raises(SettingError, match='no such camera'):
        rtabmap.track(
            [np.zeros((360, 480, 3), np.uint8)], [np.zeros((360, 480), np.uint16)], [1.0], camera
        )


def simulated():
    pytest.importorskip('pybullet', reason='simulated worlds need PyBullet, the extra [sim]')


def test_the_shortest_way_costs_what_relaxing_all_edges_finds():
    random = np.random.RandomState(3)
    costs = random.uniform(1, 5, (9, 11))
    costs[2:7, 5] = 1e6
    best = np.full(costs.shape, np.inf)     # Bellman and Ford
    best[0, 0] = 0
    cells = list(product(range(9), range(11)))
    steps = [(y, x) for y, x in product((-1, 0, 1), repeat=2) if y or x]
    for _ in range(40):
        for row, column in cells:
            for y, x in steps:
                other = row + y, column + x
                if 0 <= other[0] < 9 and 0 <= other[1] < 11:
                    further = best[row, column] + costs[other] * (1.414 if y and x else 1)
                    best[other] = min(best[other], further)
    way = shortest_way(costs, (0, 0), (8, 10))
    assert (way[0], way[-1]) == ((0, 0), (8, 10))
    total = sum(
        costs[b] * (1.414 if a[0] != b[0] and a[1] != b[1] else 1)
        for a, b in pairwise(way)
    )
    assert total == pytest.approx(best[8, 10])


def test_a_rendered_depth_lifts_to_where_the_ray_meets_the_world():
    simulated()
    from seg_ros.bench.loops.sensor import intrinsics_of, world_from_optical
    from seg_ros.sim.renderer import Renderer
    from seg_ros.sim.view import Light, Viewpoint
    from seg_ros.sim.world import Part, World

    world = World()
    try:
        renderer = Renderer(world.client, (60, 80))
        box = world.build([Part((0.3, 0.2, 0.1))], 3)
        world.show(box, (0.2, 0.1, 0.4))
        view = Viewpoint((1.5, -1.0, 1.2), (0.1, 0.0, 0.3), fov_deg=45.0)
        rendered = renderer.render(view, Light())
        rows, columns = np.nonzero(rendered.bodies == box.number)
    finally:
        world.close()
    camera, z = intrinsics_of(view, (60, 80)), rendered.depth_m[rows, columns]
    across, down = (columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy
    points = np.stack([across * z, down * z, z])
    pose = world_from_optical(view)
    lifted = pose[:3, :3] @ points + pose[:3, 3:]
    local = np.abs(lifted - np.array([[0.2], [0.1], [0.4]]))
    assert len(z) > 100
    assert (local - np.array([[0.3], [0.2], [0.1]])).max(axis=0) == pytest.approx(0, abs=0.01)
