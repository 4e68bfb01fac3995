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

"""Pooling written for export, against PyTorch's own."""

import pytest

torch = pytest.importorskip('torch', reason='torch is not installed')
from seg_ros.zoo.layers.pooling import (  # noqa: E402
    AdaptiveAveragePool,
    max_pool_with_places,
    max_unpool,
)
from torch.nn import functional  # noqa: E402


@pytest.mark.parametrize('size_hw', [(8, 12), (9, 13), (1, 2)])
@pytest.mark.parametrize('make', [
    torch.randn, lambda shape: torch.randn(shape).relu(),
    lambda shape: torch.randint(0, 2, shape).float(),
])
def test_maxima_return_to_where_pytorch_puts_them_ties_and_odd_sides_too(size_hw, make):
    torch.manual_seed(0)
    features = make((2, 5, *size_hw))
    pooled, places = max_pool_with_places(features)
    expected, indices = functional.max_pool2d(
        features, 2, ceil_mode=True, return_indices=True
    )
    assert torch.equal(pooled, expected)
    values = torch.randn_like(pooled)
    unpooled = functional.max_unpool2d(values, indices, 2, output_size=list(size_hw))
    assert torch.equal(max_unpool(values, places), unpooled)


@pytest.mark.parametrize('size_hw', [(24, 32), (23, 41), (7, 5)])
@pytest.mark.parametrize('output_hw', [(1, 1), (2, 2), (3, 3), (6, 6), (2, 5)])
def test_adaptive_pooling_is_pytorchs_for_sizes_that_do_not_divide(size_hw, output_hw):
    torch.manual_seed(0)
    features = torch.randn(2, 3, *size_hw)
    expected = functional.adaptive_avg_pool2d(features, output_hw)
    torch.testing.assert_close(AdaptiveAveragePool(output_hw)(features), expected)
