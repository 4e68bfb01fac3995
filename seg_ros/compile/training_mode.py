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

"""Rejects networks that were exported in training mode, which drop features by chance."""

from collections.abc import Iterator

import onnx
from onnx import numpy_helper
from seg_ros.compile.graph import attributes, nodes_of
from seg_ros.core.errors import ModelError

_RANDOM = ('RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike')
_COMPARISONS = ('Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual')


def refuse_training_mode(graph: onnx.GraphProto) -> None:
    """
    Reject a graph that drops features, or normalises by the statistics of a batch.

    Random numbers that nothing compares with a probability are left alone: some networks start an
    iteration from them.

    :raises ModelError: if there is such a node.
    """
    if found := sorted({node.op_type for node in _of_training(graph)}):
        raise ModelError(
            f'a network exported in training mode, with {", ".join(found)}',
            'one exported for inference', 'call network.eval() before the export',
        )


def _of_training(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    true = {item.name for item in graph.initializer if _is_true(item)}
    compared: set[str] = set()
    for node in nodes_of(graph):
        if node.op_type == 'Constant' and any(_is_true(item.t) for item in node.attribute):
            true.update(node.output)
        if node.op_type in _COMPARISONS:
            compared.update(node.input)
    for node in nodes_of(graph):
        is_random = node.op_type in _RANDOM and compared.intersection(node.output)
        is_dropping = node.op_type == 'Dropout' and true.intersection(node.input[2:])
        is_normalising = (
            node.op_type == 'BatchNormalization' and attributes(node).get('training_mode')
        )
        if node.op_type == 'Bernoulli' or is_random or is_dropping or is_normalising:
            yield node


def _is_true(tensor: onnx.TensorProto) -> bool:
    return tensor.data_type == onnx.TensorProto.BOOL and bool(
        numpy_helper.to_array(tensor).all()
    )
