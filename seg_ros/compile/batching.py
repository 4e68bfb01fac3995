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

"""Tests whether a network can process batches, with the same results as for single images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from seg_ros.compile.network import Network
from seg_ros.compile.run_onnx import Arrays, run_onnx
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.errors import ModelError


def batch_obstacle(network: Network, tensor_infos: Sequence[TensorInfo]) -> str:
    """
    Run two random images one by one and as a batch, and compare the results.

    :param tensor_infos: tensors to compare.
    :returns: reason why the network cannot process batches; empty if the results agree.
    """
    if network.prompts:
        return 'prompts apply to a single image'
    images = _images(network)
    try:
        run = run_onnx(network.part(tensor_infos, 'N'))
        alone = [run({network.input_name: image[None]}) for image in images]
        together = run({network.input_name: images})
    except ModelError:
        return 'its graph is fixed to one image'
    if all(
        np.array_equal(alone[0][tensor_info.name], alone[1][tensor_info.name])
        for tensor_info in tensor_infos
    ):
        return 'its outputs are the same for any image, which proves nothing'
    if not all(
        _agree(alone, together[tensor_info.name], tensor_info.name) for tensor_info in tensor_infos
    ):
        return "the images of a batch affect one another's outputs"
    return ''


def _images(network: Network) -> NDArray[np.floating]:
    """Return noise images of different mean and spread, so that batch statistics show."""
    random = np.random.default_rng(0)
    images = random.normal(0, 1, network.input_shape(2))
    images[1] = 2 * images[1] + 1
    return images.astype(network.dtype)


def _agree(alone: Sequence[Arrays], together: NDArray[np.generic], name: str) -> bool:
    """Compare up to rounding: kernels may sum in a different order for another batch size."""
    expected = np.concatenate([arrays[name] for arrays in alone])
    if expected.shape != together.shape:
        return False
    if expected.dtype.kind != 'f':
        return bool(np.mean(expected == together) > 0.999)
    highest = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    tolerance = (1e-2 if expected.dtype == np.float16 else 1e-4) * highest
    return bool(np.allclose(expected, together, rtol=0, atol=tolerance, equal_nan=True))
