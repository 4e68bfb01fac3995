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

"""A room in motion."""

from math import hypot

import numpy as np
import pytest

pytest.importorskip('pybullet', reason='simulated worlds need PyBullet, the extra [sim]')

from seg_ros.sim.drive import DrivenRoom


@pytest.fixture(scope='module')
def room():
    world = DrivenRoom(seed=4, size_hw=(96, 128))
    yield world
    world.close()


def test_the_base_drives_and_never_through_walls(room):
    places = []
    for _ in range(150):
        room.advance(0.1)
        places.append((room.base.x, room.base.y))
    way = sum(hypot(dx, dy) for dx, dy in np.diff(places, axis=0))
    assert way > 1.5
    assert np.abs(places).max() < 4.5


def test_the_image_changes_as_the_base_drives_and_truth_with_it(room):
    first, truth = room.render()
    for _ in range(15):
        room.advance(0.1)
    second, other = room.render()
    truth.verify()
    other.verify()
    assert np.abs(first.rgb.astype(int) - second.rgb).mean() > 3
    assert (truth.classes != other.classes).mean() > 0.02
