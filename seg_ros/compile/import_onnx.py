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

"""Prepares a raw model for reading, and finds out which inputs it expects."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx
from onnx import helper
from seg_ros.compile.branches import with_branches_taken
from seg_ros.compile.fixed_batch import fixed_outputs
from seg_ros.compile.graph import attributes, inputs_of
from seg_ros.compile.kept_batch import with_batch_kept
from seg_ros.compile.masked_writes import with_masks_chosen
from seg_ros.compile.modern import modern_model
from seg_ros.compile.network import Layout, Network
from seg_ros.compile.operators import FORBIDDEN
from seg_ros.compile.prompt_inputs import prompt_inputs
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.compile.value_info import describe, set_shape
from seg_ros.core.card import InputSpec
from seg_ros.core.errors import CardError, ModelError

_IMAGE_TYPES = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.UINT8)
_IMAGE_AXES: dict[Layout, tuple[int, int, int]] = {'nchw': (1, 2, 3), 'nhwc': (3, 1, 2)}


def network_from_model(
    model: onnx.ModelProto, spec: InputSpec | None = None, max_prompts: int = 1
) -> Network:
    """
    Find out which image, and which prompts, a raw model expects.

    :param spec: the card's `input`; without it the model itself must specify everything.
    :param max_prompts: prompts per call, if the model takes any number.
    :raises ModelError: if the model has other inputs than one image and prompts, or its opset is
        too old or too new.
    :raises CardError: if model and card contradict each other, or neither specifies the size.
    """
    model = modern_model(model)
    _forget_shapes(model)
    prompts = prompt_inputs(model.graph.input, max_prompts)
    image = _image(model, prompts)
    tensor = image.type.tensor_type
    takes_bytes = tensor.elem_type == onnx.TensorProto.UINT8
    if takes_bytes:
        # TensorRT supports bytes only as graph inputs and outputs: pass the values as floats.
        tensor.elem_type = onnx.TensorProto.FLOAT
        spec = _plain_spec(image.name, spec or InputSpec())
    dims = [dim.dim_value if dim.dim_value > 0 else None for dim in tensor.shape.dim]
    layout = _layout(image.name, dims, spec, _transposes_first(model, image.name))
    channels, height, width = (dims[axis] for axis in _IMAGE_AXES[layout])
    network = Network(
        model, image.name, np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type)), layout,
        channels or (spec.channels if spec else 3), _size(image.name, (height, width), spec),
        spec or InputSpec(), prompts,
    )
    shape = describe(image)
    set_shape(image, network.input_shape(1))
    for item in model.graph.input:
        if item.name in (shapes := {info.name: info.shape for info in prompts}):
            set_shape(item, shapes[item.name])
    if (dims[0] or 1) > 1:
        _check_batch(network, dims[0] or 1, shape)
    return with_batch_kept(with_masks_chosen(with_branches_taken(network)))


def _plain_spec(name: str, spec: InputSpec) -> InputSpec:
    """
    Pass bytes unchanged to a network that contains its normalisation.

    :raises CardError: if the card would change them.
    """
    if set(spec.mean) != {0} or set(spec.std) != {1}:
        raise CardError(
            f'input {name} takes bytes, so the network normalises by itself, but the card has '
            'mean or std', 'neither', 'leave input.mean and input.std out',
        )
    return replace(spec, scale=1.0)


def _check_batch(network: Network, batch: int, shape: str) -> None:
    """Raise an error if a network was exported for a fixed batch and cannot run on one image."""
    if fixed := fixed_outputs(network, batch):
        raise ModelError(
            f'a network for a fixed batch: {shape}, required by {", ".join(fixed)}',
            'one image, or any number',
            'export it with a batch of 1, or with a dynamic batch axis',
        )


def _forget_shapes(model: onnx.ModelProto) -> None:
    """Remove shapes of the exporter's batch, and inputs that are weights or unused."""
    graph = model.graph
    weights = {item.name for item in graph.initializer}
    read = {name for node in graph.node for name in inputs_of(node)}
    inputs = [
        item for item in graph.input if item.name not in weights and item.name in read
    ] or list(graph.input)
    del graph.input[:]
    graph.input.extend(inputs)
    del graph.value_info[:]
    for item in graph.output:
        item.type.tensor_type.ClearField('shape')


def _image(model: onnx.ModelProto, prompts: Sequence[TensorInfo]) -> onnx.ValueInfoProto:
    """Return the only input that does not take prompts."""
    others = {info.name for info in prompts}
    inputs: list[onnx.ValueInfoProto] = [
        item for item in model.graph.input if item.name not in others
    ]
    seen = ', '.join(map(describe, inputs))
    wanted = 'one image, float32, float16 or uint8, of 4 axes'
    if len(inputs) > 1:
        wanted += (
            ', alone or with prompts: float boxes [N, P, 4], or float points [N, P, 2, 2] and '
            'numeric labels [N, P, 2]'
        )
    if advice := _image_advice(model, inputs):
        raise ModelError(f'a network with inputs {seen or "none"}', wanted, advice)
    return inputs[0]


def _image_advice(model: onnx.ModelProto, inputs: Sequence[onnx.ValueInfoProto]) -> str:
    """Return advice on how to export a network with one image input; empty if it has one."""
    if len(inputs) > 1 and any('embed' in item.name for item in inputs):
        return 'export encoder and decoder as one network, as seg_ros export sam does'
    if len(inputs) != 1:
        return 'export a module with only these inputs, and all else that it needs as constants'
    tensor = inputs[0].type.tensor_type
    if tensor.elem_type not in _IMAGE_TYPES:
        return 'export it in float32'
    if len(tensor.shape.dim) == 4:
        return ''
    # torchvision's detectors would still fail with an input of four axes.
    if any(node.op_type == 'RoiAlign' for node in model.graph.node):
        return FORBIDDEN['RoiAlign']
    return (
        'export it with an input [N, channels, height, width] or [N, height, width, channels]'
    )


def _transposes_first(model: onnx.ModelProto, name: str) -> bool:
    """Return whether a network first transposes its input from NHWC to NCHW."""
    for node in model.graph.node:
        if name in node.input:
            if node.op_type == 'Cast':
                return _transposes_first(model, node.output[0])
            return node.op_type == 'Transpose' and attributes(node).get('perm') == [0, 3, 1, 2]
    return False


def _layout(
    name: str, dims: Sequence[int | None], spec: InputSpec | None, transposed: bool
) -> Layout:
    found = {
        layout: dims[axes[0]]
        for layout, axes in _IMAGE_AXES.items()
        if dims[axes[0]] in ((1, 3) if spec is None else (spec.channels,))
    }
    if not found and dims[1:] == [None] * 3 and spec is not None:
        # Some exporters make every axis dynamic.
        return 'nhwc' if transposed else 'nchw'
    if found:
        return next(iter(found))
    shape = f'input {name} of shape [{", ".join(str(dim or "?") for dim in dims)}]'
    if spec and {1, 3} & {dims[1], dims[3]}:
        raise CardError(
            f"{shape} against the card's input.color {spec.color}",
            f'{spec.channels} channels', 'set input.color to what the network was trained with',
        )
    raise ModelError(
        shape, '1 or 3 channels on its second or last axis',
        'use a network for colour or grey images, without depth or alpha, exported with a fixed '
        'number of channels',
    )


def _size(
    name: str, dims: tuple[int | None, int | None], spec: InputSpec | None
) -> tuple[int, int]:
    """Return the network's input size, or the card's if the network takes any size."""
    wanted = spec.size if spec else (0, 0)
    height, width = (dim or side for dim, side in zip(dims, wanted, strict=True))
    if not (height and width):
        raise CardError(
            f'input {name} takes images of any size and the card names none', 'a fixed size',
            'set input.size: [height, width] in the card',
        )
    if any(side and side != found for side, found in zip(wanted, (height, width), strict=True)):
        raise CardError(
            f"the card's input.size {list(wanted)} against the network's {[height, width]}",
            'the same size', 'correct the card, or export the network at that size',
        )
    return height, width
