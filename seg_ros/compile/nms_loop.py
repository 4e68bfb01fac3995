"""Repeated steps of suppression, rolled into a loop that ends as soon as nothing changes."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto

_MOST = 1 << 16     # steps, far more than there are boxes


class _Step(NamedTuple):
    """
    One step of `graph.nms`: kept = (before x matrix < half) * candidates.

    :param nodes: that it consists of.
    """

    before: str
    matrix: str
    half: str
    candidates: str
    nodes: tuple[onnx.NodeProto, ...]

    def repeats(self, other: '_Step | None') -> bool:
        """Tell whether both do the same to what was before."""
        return other is not None and self[1:4] == other[1:4]


def with_nms_loop(model: onnx.ModelProto) -> onnx.ModelProto:
    """
    Return a model whose suppression ends when a step changes nothing.

    A step that changes nothing would change nothing ever after: the answer is that of the
    longest row of steps. A CPU needs a handful of them for most images; a TensorRT engine, which
    replays one recording for all, takes the row as it is written.
    """
    producers = {name: node for node in model.graph.node for name in node.output}
    readers = Counter(name for node in model.graph.node for name in node.input)
    for node in model.graph.node:
        row = _row_ending_with(node, producers, readers)
        if len(row) > 1:
            return _with_loop(model, node.output[0], row)
    return model


def _row_ending_with(
    node: onnx.NodeProto, producers: Mapping[str, onnx.NodeProto], readers: Mapping[str, int]
) -> list[_Step]:
    """Return the steps that lead to a node, last first; none where it is within a row."""
    last = _step_of(node, producers)
    if last is None or any(
        other.op_type == 'MatMul' and list(other.input) == [node.output[0], last.matrix]
        for other in producers.values()
    ):
        return []
    row = [last]
    while readers[row[-1].before] == 1 and row[-1].before in producers:
        step = _step_of(producers[row[-1].before], producers)
        if step is None or not step.repeats(last):
            break
        row.append(step)
    return row


def _step_of(
    node: onnx.NodeProto, producers: Mapping[str, onnx.NodeProto]
) -> _Step | None:
    """Read a multiplication as the end of a step."""
    nodes, tensor = [node], node.input[0] if node.input else ''
    for operator in ('Cast', 'Less', 'MatMul'):
        inner = producers.get(tensor)
        if inner is None or inner.op_type != operator:
            return None
        nodes.append(inner)
        tensor = inner.input[0]
    if node.op_type != 'Mul':
        return None
    return _Step(tensor, nodes[3].input[1], nodes[2].input[1], node.input[1], tuple(nodes))


def _with_loop(model: onnx.ModelProto, result: str, row: list[_Step]) -> onnx.ModelProto:
    """Write the model anew with a loop in the place of a row."""
    last, first = row[0], row[-1]
    names = {name: f'{result}/{name}' for name in ('most', 'go', 'loop')}
    loop = helper.make_node(
        'Loop', [names['most'], names['go'], first.before], [result], names['loop'],
        body=_body(last),
    )
    gone = {id(node) for step in row for node in step.nodes}
    nodes = []
    for node in model.graph.node:
        if id(node) not in gone:
            nodes.append(node)
        elif node is last.nodes[0]:
            nodes.append(loop)
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    del whole.graph.node[:]
    whole.graph.node.extend(nodes)
    whole.graph.initializer.extend([
        numpy_helper.from_array(np.array([_MOST]), names['most']),
        numpy_helper.from_array(np.array([True]), names['go']),
    ])
    return whole


def _body(step: _Step) -> onnx.GraphProto:
    """Write one step, and whether it changed anything."""
    def inner(name: str) -> str:
        return f'{step.nodes[0].output[0]}/{name}'

    before, kept, again = inner('before'), inner('kept'), inner('again')
    nodes = [
        helper.make_node('MatMul', [before, step.matrix], [inner('better')]),
        helper.make_node('Less', [inner('better'), step.half], [inner('is_free')]),
        helper.make_node('Cast', [inner('is_free')], [inner('free')], to=TensorProto.FLOAT),
        helper.make_node('Mul', [inner('free'), step.candidates], [kept]),
        helper.make_node('Sub', [kept, before], [inner('change')]),
        helper.make_node('Abs', [inner('change')], [inner('changes')]),
        helper.make_node('ReduceMax', [inner('changes')], [inner('most_change')], keepdims=0),
        helper.make_node('Greater', [inner('most_change'), step.half], [inner('changed')]),
        helper.make_node('Reshape', [inner('changed'), inner('one')], [again]),
    ]
    value = helper.make_tensor_value_info
    return helper.make_graph(
        nodes, 'step',
        [value(inner('number'), TensorProto.INT64, [1]), value(inner('go'), TensorProto.BOOL, [1]),
         value(before, TensorProto.FLOAT, None)],
        [value(again, TensorProto.BOOL, [1]), value(kept, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array([1]), inner('one'))],
    )
