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

"""Replaces masked writes of a constant, which exporters express with tensors of dynamic shape."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper, numpy_helper
from seg_ros.compile.graph import attributes, model_between, nodes_for, with_nodes
from seg_ros.compile.network import Network
from seg_ros.compile.run_onnx import Arrays, run_onnx
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.errors import ModelError

_DENSITIES = (0.2, 0.8)     # fractions of true elements in the masks tried


def with_masks_chosen(network: Network) -> Network:
    """
    Replace each ScatterND that writes a constant where a mask is true by a Where.

    `scores[torch.where(mask)] = 0` is exported like that, with a NonZero that TensorRT rejects.
    """
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    for node in network.model.graph.node:
        written = _written(network, node) if node.op_type == 'ScatterND' else None
        if written is None:
            nodes.append(node)
        else:
            nodes += _replacement(node, *written)
            weights += _weights(node, *written)
    if not weights:
        return network
    kept = nodes_for(nodes, [item.name for item in network.model.graph.output])
    return replace(network, model=with_nodes(network.model, kept, weights))


def _written(
    network: Network, node: onnx.NodeProto
) -> tuple[TensorInfo, TensorInfo, NDArray[np.generic]] | None:
    """Return mask, data and constant of a node that writes a constant, None for other nodes."""
    if attributes(node).get('reduction', b'none') != b'none':
        return None
    masks = {item.input[0] for item in network.model.graph.node if item.op_type == 'NonZero'}
    sources = [
        item.input[0] for item in network.upstream({node.input[1]}, masks)
        if item.op_type == 'NonZero'
    ]
    if len(sources) != 1:
        return None
    try:
        mask, data = network.tensor_infos([*sources, node.input[0]])
        found = _constant(network, mask, data, node.input[1:])
    except ModelError:
        return None
    return None if found is None else (mask, data, found)


def _constant(
    network: Network, mask: TensorInfo, data: TensorInfo, names: Sequence[str]
) -> NDArray[np.generic] | None:
    """
    Test on random masks whether a node writes one constant exactly where the mask is true.

    :param names: tensors of the indices and the values to write.
    :returns: the constant, None if the test fails.
    :raises ModelError: if indices or values also depend on other tensors.
    """
    if data.shape[:len(mask.shape)] != mask.shape:
        return None
    inputs = [
        helper.make_tensor_value_info(
            info.name, helper.np_dtype_to_tensor_dtype(info.dtype), info.shape
        )
        for info in (mask, data)
    ]
    run = run_onnx(model_between(network.model, inputs, names))
    random = np.random.default_rng(0)
    seen = []
    for density in _DENSITIES:
        is_in = random.random(mask.shape) < density
        feeds: Arrays = {
            data.name: np.zeros(data.shape, data.dtype), mask.name: is_in.astype(mask.dtype)
        }
        indices, values = (run(feeds)[name] for name in names)
        shape = (is_in.sum(), *data.shape[len(mask.shape):])
        if values.shape != shape or not np.array_equal(indices, np.argwhere(is_in)):
            return None
        seen.append(values.ravel())
    constants: NDArray[np.generic] = np.unique(np.concatenate(seen))
    return constants if constants.size == 1 else None


def _replacement(
    node: onnx.NodeProto, mask: TensorInfo, data: TensorInfo, constant: NDArray[np.generic]
) -> list[onnx.NodeProto]:
    """Return the nodes that replace a ScatterND; engines have no Where for booleans."""
    output = node.output[0]
    is_in, outside = f'{output}/is_in', f'{output}/outside'
    nodes = [
        helper.make_node('Cast', [mask.name], [f'{output}/bool'], to=onnx.TensorProto.BOOL),
        helper.make_node('Unsqueeze', [f'{output}/bool', f'{output}/axes'], [is_in]),
    ]
    if data.dtype.kind != 'b':
        choose = helper.make_node('Where', [is_in, f'{output}/constant', data.name], [output])
        return [*nodes, choose]
    if constant.all():
        return [*nodes, helper.make_node('Or', [data.name, is_in], [output])]
    return [
        *nodes, helper.make_node('Not', [is_in], [outside]),
        helper.make_node('And', [data.name, outside], [output]),
    ]


def _weights(
    node: onnx.NodeProto, mask: TensorInfo, data: TensorInfo, constant: NDArray[np.generic]
) -> list[onnx.TensorProto]:
    """Return the weights that the replacement reads."""
    axes = np.arange(len(mask.shape), len(data.shape))
    return [
        numpy_helper.from_array(values, f'{node.output[0]}/{name}')
        for name, values in (('axes', axes), ('constant', constant))
    ]
