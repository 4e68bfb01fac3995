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

"""Suppression and RoIAlign of fixed shapes, against torchvision's operators."""

import pytest

torch = pytest.importorskip('torch', reason='torch is not installed')
ops = pytest.importorskip('torchvision.ops', reason='torchvision is not installed')
from seg_ros.zoo.layers.greedy_nms import greedy_nms  # noqa: E402
from seg_ros.zoo.layers.roi_align import PyramidRoiAlign  # noqa: E402


def random_boxes(count, side, seed):
    generator = torch.Generator().manual_seed(seed)
    center = torch.rand(count, 2, generator=generator) * side
    size = torch.rand(count, 2, generator=generator) ** 2 * side + 2
    return torch.cat([center - size / 2, center + size / 2], 1).clamp(0, side)


@pytest.mark.parametrize('iou', [0.3, 0.5, 0.7])
def test_the_boxes_that_torchvision_keeps_are_kept(iou):
    for seed in range(5):
        boxes = random_boxes(120, 100, seed)
        scores = torch.linspace(1, 0.1, len(boxes))
        group = torch.arange(len(boxes)) % 3
        kept = torch.zeros(len(boxes))
        kept[ops.batched_nms(boxes, scores, group, iou)] = 1
        assert torch.equal(greedy_nms(boxes, torch.ones(len(boxes)), iou, group), kept)


@pytest.mark.parametrize('output', [7, 14])
def test_every_box_is_pooled_from_the_level_that_torchvision_takes(output):
    torch.manual_seed(0)
    size_hw, strides = (256, 320), (4, 8, 16, 32)
    sizes = [(size_hw[0] // stride, size_hw[1] // stride) for stride in strides]
    maps = [torch.randn(1, 6, *size) for size in sizes]
    boxes = torch.cat([random_boxes(60, 250, 1), torch.tensor([
        [-20.0, -10, 40, 30], [300, 200, 400, 300], [10, 10, 10, 10], [0, 0, 319, 255],
    ])])
    pooler = ops.MultiScaleRoIAlign(['0', '1', '2', '3'], output, 2)
    levels = {str(number): level for number, level in enumerate(maps)}
    expected = pooler(levels, [boxes], [size_hw])
    pooled = PyramidRoiAlign(sizes, strides, output)(maps, boxes)
    torch.testing.assert_close(pooled, expected, atol=2e-5, rtol=1e-5)
