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

"""The front of a compiled graph: from the camera's bytes to what the network was trained on."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
import onnx
from seg_ros.compile.network import Network
from seg_ros.compile.prompt_inputs import inputs_from_prompts
from seg_ros.compile.subgraph import BODY, build_subgraph
from seg_ros.core.card import InputSpec
from seg_ros.core.tensors import IMAGE, PROMPTS
from spox import argument, Tensor, Var
import spox.opset.ai.onnx.v17 as op

_TO_PLANES = (0, 3, 1, 2)
_Numbers: TypeAlias = NDArray[np.float64]


def make_preprocessing(network: Network, spec: InputSpec, batch: int | str) -> onnx.ModelProto:
    """
    Write (pixel * scale - mean) / std as one multiplication and one addition.

    :param batch: images of a call; a word stands for any number.
    :returns: a graph from `image`, uint8 (N, H, W, C), and where the network takes prompts from
        `prompts`, float32 (1, P, 4), to the network's inputs.
    """
    shape = (batch, *network.size_hw, network.channels)
    image = argument(Tensor(np.dtype(np.uint8), shape))
    # TensorRT takes bytes at the edges only, so the cast comes before the transpose.
    pixels = op.cast(image, to=np.float32)
    std = np.array(spec.std, np.float64)
    factor, offset = spec.scale / std, -np.array(spec.mean, np.float64) / std
    if network.layout == 'nhwc':
        pixels = _normalised(pixels, factor, offset)
    elif np.ptp(factor) or np.ptp(offset):
        # OpenVINO lays numbers that differ over planes a dozen times as fast as over pixels.
        planes = op.transpose(pixels, perm=_TO_PLANES)
        pixels = _normalised(planes, factor[:, None, None], offset[:, None, None])
    else:
        # Beside a convolution that wants channels last, it leaves a last transpose out altogether.
        pixels = op.transpose(_normalised(pixels, factor, offset), perm=_TO_PLANES)
    if network.dtype != np.float32:
        pixels = op.cast(pixels, to=network.dtype)
    inputs, outputs = {IMAGE: image}, {f'{BODY}{network.input_name}': pixels}
    if network.prompts:
        inputs[PROMPTS] = argument(
            Tensor(np.dtype(np.float32), (1, network.prompts[0].shape[1], 4))
        )
        filled = inputs_from_prompts(inputs[PROMPTS], network.prompts)
        outputs |= {f'{BODY}{name}': value for name, value in filled.items()}
    return build_subgraph('head', inputs, outputs, network.opset)


def _normalised(pixels: Var, factor: _Numbers, offset: _Numbers) -> Var:
    """Compute no more of pixels * factor + offset than changes anything."""
    if (factor != 1).any():
        pixels = op.mul(pixels, _constant(factor))
    if offset.any():
        pixels = op.add(pixels, _constant(offset))
    return pixels


def _constant(values: _Numbers) -> Var:
    """Write numbers by channel, or one number for all."""
    small = values.astype(np.float32)
    return op.const(small.flat[0] if (small == small.flat[0]).all() else small)
