"""Worlds for tests that need PyBullet; skips where it is missing."""

from functools import lru_cache

import pytest

pytest.importorskip('pybullet', reason='simulated worlds need PyBullet, the extra [sim]')

from seg_ros.sim.dataset import Sample, world_samples
from seg_ros.sim.textures import Split

SIZE_HW = (120, 160)


@lru_cache
def samples(seed: int, world: int, split: Split, scenes: int = 3) -> tuple[Sample, ...]:
    return tuple(world_samples(seed, world, split, SIZE_HW, scenes))
