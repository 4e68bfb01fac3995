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

"""Strips the operators that exporters append to a network's own scores."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import onnx
from onnx import helper
from seg_ros.compile.graph import attributes
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.signature import Upsampling

_RULES: dict[str, Upsampling] = {
    'half_pixel': 'half_pixel',
    'pytorch_half_pixel': 'half_pixel',
    'align_corners': 'align_corners',
    'asymmetric': 'asymmetric',
}
# Stripped only together with one of the operators below.
CARRIERS = ('Identity', 'Cast', 'OneHot', 'Squeeze', 'Unsqueeze', 'Transpose')
ACTIVATIONS = ('Softmax', 'LogSoftmax', 'Sigmoid')
_ENDINGS = ('ArgMax', 'Resize', *ACTIVATIONS)


class OwnScores(NamedTuple):
    """
    Location of a network's own scores.

    :param tensor: tensor to end the network in; the output itself if nothing can be stripped.
    :param rule: how the network itself enlarges the tensor; None if it does not.
    :param activation: the activation that was stripped; empty if there was none.
    :param decides: whether the network takes the best class itself.
    """

    tensor: str
    rule: Upsampling | None
    activation: str
    decides: bool


def own_scores(network: Network, output: str) -> OwnScores:
    """
    Trace an output back to the scores from which it is computed.

    Activations keep the order of the classes, so labels stay the same without them, and the
    final enlargement to the network's size is left to the engine. An activation before the
    enlargement stays: the network interpolates probabilities, not scores. So does a Softmax along
    a side of the image, which exporters write if they mistake the layout: it changes the order.
    """
    tensor, rule, activation, decides = output, None, '', False
    for node in _output_ops(network, output):
        if node.op_type in ACTIVATIONS:
            # A second activation changes the probabilities.
            if rule is not None or activation or not _over_classes(network, node):
                break
            activation = node.op_type
        if node.op_type == 'Resize':
            if not _rule(node) or not _fills(network, node.output[0]):
                break
            rule = _rule(node)
        decides |= node.op_type == 'ArgMax'
        if node.op_type in _ENDINGS or _drops_batch(network, node):
            tensor = node.input[0]
    return OwnScores(tensor, rule, activation, decides)


def float_source(network: Network, tensor: str) -> str:
    """Follow casts to integers back to the float or boolean tensor that they convert."""
    while network.tensor_infos([tensor])[0].dtype.kind != 'f':
        node = network.producer(tensor)
        if node is None or node.op_type not in ('Cast', 'Identity'):
            break
        tensor = node.input[0]
    return tensor


def before_transpose(network: Network, output: TensorInfo) -> TensorInfo:
    """Return the channels-first tensor that a final Transpose makes channels-last, if any."""
    node = network.producer(output.name)
    while node is not None and node.op_type in ('Cast', 'Identity'):
        node = network.producer(node.input[0])
    if node is None or node.op_type != 'Transpose':
        return output
    if attributes(node).get('perm') != [0, 2, 3, 1]:
        return output
    (tensor,) = network.tensor_infos([node.input[0]])
    return tensor


def integer_source(network: Network, tensor: str) -> str:
    """Follow copies, casts and binary * 255 back: TensorRT makes bytes only from floats."""
    if network.tensor_infos([tensor])[0].dtype.kind not in 'iub':
        return tensor
    while (node := network.producer(tensor)) is not None and (
        node.op_type in ('Cast', 'Identity') or _is_scaled_binary(network, node)
    ):
        reads = [name for name in node.input if not network.is_constant(name)]
        if not reads or network.tensor_infos(reads)[0].dtype.kind not in 'iub':
            break
        tensor = reads[0]
    return tensor


def _is_scaled_binary(network: Network, node: onnx.NodeProto) -> bool:
    """Return whether a node multiplies 0 and 1 by 255."""
    constants = [name for name in node.input if network.is_constant(name)]
    if node.op_type != 'Mul' or len(constants) != 1:
        return False
    (read,) = set(node.input).difference(constants)
    return bool(
        (network.value_of(constants[0]) == 255).all()
        and all((array <= 1).all() for array in network.trial_values(read))
    )


def _output_ops(network: Network, output: str) -> Iterator[onnx.NodeProto]:
    node = _equivalent_node(network, output)
    while node is not None and (
        node.op_type in (*CARRIERS, *_ENDINGS) or _drops_batch(network, node)
    ):
        yield node
        node = _equivalent_node(network, node.input[0])


def _equivalent_node(network: Network, tensor: str) -> onnx.NodeProto | None:
    """Return the node that writes a tensor, or the ArgMax or Softmax that it is equivalent to."""
    node = network.producer(tensor)
    if node is not None and node.op_type == 'TopK' and _is_argmax(network, node, tensor):
        axis = attributes(node).get('axis', -1)
        return helper.make_node('ArgMax', node.input[:1], [tensor], axis=axis)
    return _unflattened(network, node)


def _is_argmax(network: Network, node: onnx.NodeProto, tensor: str) -> bool:
    """Return whether a tensor is the index output of a TopK with k = 1."""
    largest = attributes(node).get('largest', 1)
    return bool(largest) and tensor == node.output[1] and network.value_of(node.input[1]) == 1


def _unflattened(network: Network, node: onnx.NodeProto | None) -> onnx.NodeProto | None:
    """
    Replace a Softmax over all classes of all pixels at once by the one over classes.

    Before opset 13, `axis` is the first axis to flatten. The order of a pixel's classes is the
    same, but their probabilities are so small that engines round them to 0.
    """
    softmax = network.producer(node.input[0]) if node and node.op_type == 'Reshape' else None
    if node is None or softmax is None or softmax.op_type not in ('Softmax', 'LogSoftmax'):
        return node
    flatten = network.producer(softmax.input[0])
    if flatten is None or flatten.op_type != 'Flatten':
        return node
    before, after = network.tensor_infos([flatten.input[0], node.output[0]])
    if before.shape != after.shape:
        return node
    axis = attributes(flatten).get('axis', 1)
    return helper.make_node(softmax.op_type, flatten.input[:1], node.output, axis=axis)


def _drops_batch(network: Network, node: onnx.NodeProto) -> bool:
    """Return whether a node removes the batch axis of a single image, as `scores[0]` does."""
    if node.op_type not in ('Gather', 'Reshape', 'Squeeze'):
        return False
    before, after = network.tensor_infos([node.input[0], node.output[0]])
    return len(before.shape) in (3, 4) and before.shape == (1, *after.shape)


def _over_classes(network: Network, node: onnx.NodeProto) -> bool:
    """Return whether an activation preserves the order of a pixel's classes."""
    if node.op_type == 'Sigmoid':
        return True
    (info,) = network.tensor_infos([node.input[0]])
    axis = attributes(node).get('axis', -1)
    sides = np.delete(info.shape, axis)[1:]
    return len(sides) != 2 or spans_image(network, tuple(sides))


def spans_image(network: Network, map_hw: tuple[int, ...]) -> bool:
    """Return whether a map has the image's aspect ratio, up to rounding of its sides."""
    height, width = network.size_hw
    return abs(height * map_hw[1] - width * map_hw[0]) <= max(height, width)


def _rule(node: onnx.NodeProto) -> Upsampling | None:
    """Return the coordinate rule of a Resize; None if engines do not implement it."""
    facts = attributes(node)
    if facts.get('mode', b'nearest') != b'linear' or facts.get('antialias'):
        return None
    return _RULES.get(facts.get('coordinate_transformation_mode', b'half_pixel').decode())


def _fills(network: Network, tensor: str) -> bool:
    """Return whether a tensor has the network's height and width."""
    (tensor_info,) = network.tensor_infos([tensor])
    return network.size_hw in (tensor_info.shape[2:4], tensor_info.shape[1:3])
