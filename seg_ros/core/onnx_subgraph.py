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

"""Extraction of the subgraph for some outputs of an ONNX file, without the onnx package."""

from collections.abc import Collection
from io import BytesIO
from typing import NamedTuple

from seg_ros.core.errors import ModelError
from seg_ros.core.onnx_metadata import GRAPH
from seg_ros.core.wire import BYTES, Field, fields, varint_bytes, WireError

# Fields of onnx.proto's GraphProto, ValueInfoProto, NodeProto and AttributeProto.
_NODE, _OUTPUT = 1, 12
_VALUE_NAME = 1
_READS, _WRITES, _ATTRIBUTE = 1, 2, 5
_INNER_GRAPHS = (6, 11)


class _Node(NamedTuple):
    """Names that a node, including the graphs inside it, reads and writes."""

    reads: set[bytes]
    writes: set[bytes]


def onnx_subgraph(data: bytes, outputs: Collection[str], name: str) -> bytes:
    """
    Return an ONNX file without the nodes that `outputs` do not need.

    Unused weights are kept; runtimes drop them.

    :param data: the file.
    :param name: name of the file in errors.
    :raises ModelError: if it lacks an output, or is not ONNX.
    """
    stream = BytesIO(data)
    wanted = {output.encode() for output in outputs}
    try:
        model = list(fields(stream, 0, len(data)))
        (graph,) = (field for field in model if field.number == GRAPH and field.kind == BYTES)
        parts = _needed_parts(stream, graph, wanted)
    except (WireError, ValueError) as error:
        raise ModelError(
            f'{name} is not a complete ONNX file ({error})', do='compile it again'
        ) from error
    content = b''.join(data[part.begin:part.end] for part in parts)
    header = data[graph.begin:graph.begin + 1] + varint_bytes(len(content))
    return data[:graph.begin] + header + content + data[graph.end:]


def _needed_parts(stream: BytesIO, graph: Field, wanted: set[bytes]) -> list[Field]:
    """Return the fields of the graph to keep, in order."""
    needed, missing, kept = set(wanted), set(wanted), []
    for part in reversed(list(fields(stream, graph.start, graph.end))):
        if part.number == _OUTPUT:
            output = _texts(stream, part, _VALUE_NAME)
            if not output <= wanted:
                continue
            missing -= output
        elif part.number == _NODE:
            node = _node(stream, part)
            if not needed & node.writes:
                continue
            needed |= node.reads
        kept.append(part)
    if missing:
        raise ValueError(f'without the outputs {sorted(map(bytes.decode, missing))}')
    return kept[::-1]


def _texts(stream: BytesIO, message: Field, *numbers: int) -> set[bytes]:
    return {
        field.read(stream) for field in fields(stream, message.start, message.end)
        if field.number in numbers and field.kind == BYTES
    }


def _node(stream: BytesIO, part: Field) -> _Node:
    reads, graphs = set(_texts(stream, part, _READS)), _graphs_of(stream, part)
    while graphs:
        inner = graphs.pop()
        for field in fields(stream, inner.start, inner.end):
            if field.number == _NODE:
                reads |= _texts(stream, field, _READS)
                graphs += _graphs_of(stream, field)
            elif field.number == _OUTPUT:
                reads |= _texts(stream, field, _VALUE_NAME)
    return _Node(reads, _texts(stream, part, _WRITES))


def _graphs_of(stream: BytesIO, node: Field) -> list[Field]:
    """Return the graphs in a node's attributes, such as a loop's body."""
    return [
        graph
        for attribute in fields(stream, node.start, node.end)
        if attribute.number == _ATTRIBUTE and attribute.kind == BYTES
        for graph in fields(stream, attribute.start, attribute.end)
        if graph.number in _INNER_GRAPHS and graph.kind == BYTES
    ]
