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

"""The textures of rendered things."""

import numpy as np
import pytest
from seg_ros.sim.textures import printed, surface


@pytest.mark.parametrize('draw', [surface, printed])
@pytest.mark.parametrize('split', ['train', 'held-out'])
def test_a_texture_is_the_same_for_the_same_random_numbers(draw, split):
    first, again, other = (draw(np.random.default_rng(seed), split) for seed in (5, 5, 6))
    assert first.shape == (256, 256, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_textures_differ_among_each_other_and_within():
    for split in ('train', 'held-out'):
        random = np.random.default_rng(2)
        images = [printed(random, split) for _ in range(12)]
        means = np.array([image.mean() for image in images])
        assert means.std() > 20
        assert np.median([image.std() for image in images]) > 20
