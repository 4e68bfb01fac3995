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

"""A heap, and a camera that goes around it."""

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip('pybullet', reason='simulated worlds need PyBullet, the extra [sim]')

from seg_ros.sim.classes import OBJECT
from seg_ros.sim.orbit import OrbitedTable


@pytest.mark.parametrize('kind', ['bin', 'table'])
def test_the_heap_stays_in_the_image_while_the_camera_goes_around(kind):
    table = OrbitedTable(seed=5, size_hw=(96, 128), kind=kind)
    try:
        images = []
        for _ in range(8):
            rendered, truth = table.render()
            truth.verify()
            images.append(rendered.rgb.astype(int))
            rows, columns = np.nonzero(truth.classes == OBJECT)
            assert len(rows) > 100
            assert abs(np.median(rows) - 48) < 24
            assert abs(np.median(columns) - 64) < 32
            table.advance(0.5)
    finally:
        table.close()
    assert all(np.abs(a - b).mean() > 3 for a, b in pairwise(images))


def test_a_seed_is_one_heap():
    images = []
    for seed in (5, 5, 6):
        table = OrbitedTable(seed, size_hw=(96, 128))
        images.append(table.render()[0].rgb)
        table.close()
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])
