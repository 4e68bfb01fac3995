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

"""Builds the first part of a compiled graph: from camera bytes to normalised network input."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
import onnx
from seg_ros.compile.network import Network
from seg_ros.compile.prompt_inputs import inputs_from_prompts
from seg_ros.compile.subgraph import build_subgraph, NETWORK_PREFIX
from seg_ros.core.card import InputSpec
from seg_ros.core.tensors import IMAGE, PROMPTS
from spox import argument, Tensor, Var
import spox.opset.ai.onnx.v17 as op

_TO_PLANES = (0, 3, 1, 2)
_Numbers: TypeAlias = NDArray[np.float64]


def make_preprocessing(network: Network, spec: InputSpec, batch: int | str) -> onnx.ModelProto:
    """
    Compute (pixel * scale - mean) / std as one multiplication and one addition.

    :param batch: number of images per call; a string makes the axis dynamic.
    :returns: graph from `image`, uint8 (N, H, W, C), and `prompts`, float32 (1, P, 4), if the
        network takes prompts, to the network's inputs.
    """
    shape = (batch, *network.size_hw, network.channels)
    image = argument(Tensor(np.dtype(np.uint8), shape))
    # TensorRT supports bytes only as graph inputs and outputs, so the cast precedes the transpose.
    pixels = op.cast(image, to=np.float32)
    std = np.array(spec.std, np.float64)
    factor, offset = spec.scale / std, -np.array(spec.mean, np.float64) / std
    if network.layout == 'nhwc':
        pixels = _normalise(pixels, factor, offset)
    elif np.ptp(factor) or np.ptp(offset):
        # OpenVINO applies constants per channel twelve times as fast to planes as to pixels.
        planes = op.transpose(pixels, perm=_TO_PLANES)
        pixels = _normalise(planes, factor[:, None, None], offset[:, None, None])
    else:
        # OpenVINO removes a final transpose before a convolution that prefers channels last.
        pixels = op.transpose(_normalise(pixels, factor, offset), perm=_TO_PLANES)
    if network.dtype != np.float32:
        pixels = op.cast(pixels, to=network.dtype)
    inputs, outputs = {IMAGE: image}, {f'{NETWORK_PREFIX}{network.input_name}': pixels}
    if network.prompts:
        inputs[PROMPTS] = argument(
            Tensor(np.dtype(np.float32), (1, network.prompts[0].shape[1], 4))
        )
        filled = inputs_from_prompts(inputs[PROMPTS], network.prompts)
        outputs |= {f'{NETWORK_PREFIX}{name}': value for name, value in filled.items()}
    return build_subgraph('preprocess', inputs, outputs, network.opset)


def _normalise(pixels: Var, factor: _Numbers, offset: _Numbers) -> Var:
    """Compute pixels * factor + offset, omitting operations without effect."""
    if (factor != 1).any():
        pixels = op.mul(pixels, _constant(factor))
    if offset.any():
        pixels = op.add(pixels, _constant(offset))
    return pixels


def _constant(values: _Numbers) -> Var:
    """Return one constant per channel, or a scalar if they are all equal."""
    small = values.astype(np.float32)
    return op.const(small.flat[0] if (small == small.flat[0]).all() else small)
