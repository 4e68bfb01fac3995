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

"""Void costs nothing, and on other pixels complete classes what they take from the rest."""

import math

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='training needs PyTorch, the extra [train]')

from seg_ros.training.losses import center_loss, semantic_loss  # noqa: E402
from seg_ros.training.sample import OTHER, VOID  # noqa: E402

CHANNELS = 3


def loss_of(logits, classes, complete):
    """Return the loss of one image whose pixels all have the same logits."""
    maps = torch.tensor(logits, dtype=torch.float32)[None, :, None, None].expand(1, -1, 4, 4)
    plane = torch.as_tensor(np.asarray(classes, np.uint8))[None]
    return float(semantic_loss(
        maps, plane, torch.tensor([complete]), torch.ones(CHANNELS),
        torch.ones(1, *plane.shape[1:]),
    ))


def test_a_pixel_of_a_class_costs_its_cross_entropy():
    classes = np.full((16, 16), 1)
    assert loss_of([0.0, math.log(2), 0.0], classes, [False] * 3) == pytest.approx(math.log(2))


def test_void_costs_nothing_and_does_not_dilute_the_rest():
    classes = np.full((16, 16), VOID)
    assert loss_of([5.0, 0.0, 0.0], classes, [True, False, False]) == 0
    classes[:8] = 1
    assert loss_of([0.0, math.log(2), 0.0], classes, [False] * 3) == pytest.approx(math.log(2))


def test_on_other_pixels_a_complete_class_costs_what_it_takes_from_the_rest():
    classes = np.full((16, 16), OTHER)
    costs = loss_of([math.log(3), 0.0, 0.0], classes, [True, False, False])
    assert costs == pytest.approx(-math.log(1 - 3 / 5))
    assert loss_of([-30.0, 0.0, 2.0], classes, [True, False, False]) == pytest.approx(0, abs=1e-6)


def test_where_all_classes_are_complete_nothing_is_asked():
    assert loss_of([4.0, 0.0, 0.0], np.full((16, 16), OTHER), [True] * 3) == 0


def test_a_centre_is_punished_only_where_things_are_known():
    logits = torch.full((1, 8, 8), 3.0)
    nothing = torch.zeros(1, 8, 8)
    assert float(center_loss(logits, nothing, nothing)) == 0
    half = nothing.clone()
    half[:, :4] = 1
    whole = float(center_loss(logits, nothing, nothing + 1))
    assert float(center_loss(logits, nothing, half)) == pytest.approx(whole / 2)
