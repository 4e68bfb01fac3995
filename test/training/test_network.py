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

"""The network, its losses and its export."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='training needs PyTorch, the extra [train]')

from seg_ros.core.errors import ModelError  # noqa: E402
from seg_ros.training.losses import center_loss, offset_loss, semantic_loss  # noqa: E402
from seg_ros.training.network import PanopticNetwork  # noqa: E402
from seg_ros.training.weights import blend_weights, read_weights, write_weights  # noqa: E402


def network(seed: int = 0) -> PanopticNetwork:
    torch.manual_seed(seed)
    return PanopticNetwork(3, width=16).eval()


def test_outputs_are_a_quarter_of_the_image():
    semantic, center, offset = network()(torch.zeros(2, 3, 64, 96))
    assert semantic.shape == (2, 3, 16, 24)
    assert center.shape == (2, 1, 16, 24)
    assert offset.shape == (2, 2, 16, 24)


def test_weights_come_back_from_a_file(tmp_path: Path):
    first, second = network(0), network(1)
    path = tmp_path / 'weights.npz'
    write_weights(path, first.state_dict())
    read_weights(path, second)
    for name, value in first.state_dict().items():
        assert torch.allclose(second.state_dict()[name].float(), value.float(), atol=1e-3), name


def test_a_file_of_weights_holds_nothing_else(tmp_path: Path):
    path = tmp_path / 'weights.npz'
    write_weights(path, network().state_dict())
    assert set(np.load(path)) == set(network().state_dict())
    assert [file.name for file in tmp_path.iterdir()] == ['weights.npz']


def test_weights_of_another_network_are_refused(tmp_path: Path):
    path = tmp_path / 'weights.npz'
    write_weights(path, PanopticNetwork(4, width=16).state_dict())
    with pytest.raises(ModelError, match='seg_ros train'):
        read_weights(path, network())


def test_blended_weights_lie_between_both(tmp_path: Path):
    torch.manual_seed(1)
    first, second = PanopticNetwork(3, width=16), PanopticNetwork(3, width=16)
    path = tmp_path / 'weights.npz'
    write_weights(path, first.state_dict())
    wanted = {
        name: 0.75 * first.state_dict()[name] + 0.25 * value
        for name, value in second.state_dict().items()
    }
    blend_weights(path, second, 0.75)
    for name, value in second.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, wanted[name], atol=1e-3), name


def test_void_pixels_do_not_count():
    logits = torch.randn(1, 3, 4, 4)
    classes = torch.zeros(1, 16, 16, dtype=torch.long)
    classes[:, :, 8:] = 255
    changed = logits.clone()
    changed[..., 3:] += 5      # cells whose pixels, with their interpolation, are all void
    rest = torch.zeros(1, 3, dtype=torch.bool), torch.ones(3), torch.ones(1, 16, 16)
    assert torch.allclose(
        semantic_loss(logits, classes, *rest),
        semantic_loss(changed, classes, *rest),
    )


def test_an_error_counts_for_more_where_pixels_weigh_more():
    logits = torch.zeros(1, 2, 4, 4)
    logits[:, 1, :2, :2] = 4    # class 1 where all is 0
    classes, weights = torch.zeros(1, 4, 4).long(), torch.ones(1, 4, 4)
    rest = torch.zeros(1, 2, dtype=torch.bool), torch.ones(2), weights
    even = semantic_loss(logits, classes, *rest)
    weights[:, :2, :2] = 2
    assert semantic_loss(logits, classes, *rest) > 1.5 * even


def test_losses_are_least_for_the_truth():
    centers = torch.zeros(1, 8, 8)
    centers[0, 3, 4] = 1
    right = torch.where(centers > 0, 6.0, -6.0)
    assert center_loss(right, centers, centers >= 0) < 1e-2
    assert center_loss(-right, centers, centers >= 0) > 1
    wanted = torch.randn(1, 2, 8, 8)
    weights = torch.ones(1, 8, 8)
    assert offset_loss(wanted, wanted, weights) == 0
    # Half a cell in both directions.
    assert torch.isclose(offset_loss(wanted + 0.5, wanted, weights), torch.tensor(1.0))


def test_an_exported_network_answers_as_the_trained_one():
    onnxruntime = pytest.importorskip('onnxruntime', reason='ONNX Runtime is not installed')
    from seg_ros.training.export import onnx_from_network, OUTPUTS

    model = onnx_from_network(network(), (64, 96))
    assert model.opset_import[0].version == 17
    session = onnxruntime.InferenceSession(model.SerializeToString())
    assert [tensor_info.name for tensor_info in session.get_outputs()] == list(OUTPUTS)
    image = np.random.default_rng(0).normal(size=(1, 3, 64, 96)).astype(np.float32)
    outputs = session.run(None, {'images': image})
    with torch.no_grad():
        wanted = network()(torch.from_numpy(image))
    for output, tensor in zip(outputs, wanted, strict=True):
        # Weights in half precision.
        assert np.abs(output - tensor.numpy()).max() < 0.02 * max(1, tensor.abs().max())


def test_a_cell_that_points_elsewhere_is_no_centre_once_the_network_is_trained():
    trained = network()
    torch.nn.init.zeros_(trained.offset.weight)
    with torch.no_grad():
        trained.offset.bias.copy_(torch.tensor([0.0, 20 / 16]))     # twenty cells to the right
        _, far, offsets = trained.eval()(torch.zeros(1, 3, 64, 64))
        trained.offset.bias.zero_()
        _, near, _ = trained(torch.zeros(1, 3, 64, 64))
    assert torch.allclose(offsets[:, 1], torch.tensor(20.0))
    assert (near - far > 4).all()
