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

"""Worlds for tests that need PyBullet; skips where it is missing."""

from functools import lru_cache

import pytest

pytest.importorskip('pybullet', reason='simulated worlds need PyBullet, the extra [sim]')

from seg_ros.sim.dataset import Sample, world_samples
from seg_ros.sim.scenes import Kind
from seg_ros.sim.textures import Split

SIZE_HW = (120, 160)


@lru_cache
def samples(
    seed: int, world: int, split: Split, scenes: int = 3, kind: Kind | None = None
) -> tuple[Sample, ...]:
    return tuple(world_samples(seed, world, split, SIZE_HW, scenes, kind))
