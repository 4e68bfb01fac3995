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
"""Any network of class scores learns from samples."""

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='training needs PyTorch, the extra [train]')

from seg_ros.training.fine_tune import class_losses, fine_tune, FineTuningOptions  # noqa: E402
from test_train import Boxes  # noqa: E402

OPTIONS = FineTuningOptions(steps=40, batch=2, size_hw=(64, 96), rates=(0.0, 0.05))


def small_network():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, 4, 1), torch.nn.BatchNorm2d(4), torch.nn.Conv2d(4, 2, 1),
    )


def trained(network, loaded):
    return fine_tune(network, loaded, class_losses(network, Boxes(), OPTIONS), OPTIONS)


def test_the_loss_falls_and_the_network_ends_in_evaluation():
    network = small_network()
    losses = list(trained(network, ()))
    assert len(losses) == OPTIONS.steps
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])
    assert not network.training


def test_loaded_weights_have_a_rate_of_their_own():
    network = small_network()
    before = {name: value.clone() for name, value in network.named_parameters()}
    for _ in trained(network, ['0.weight']):
        pass
    changed = {
        name for name, value in network.named_parameters() if not torch.equal(value, before[name])
    }
    assert '0.weight' not in changed
    assert '2.weight' in changed
