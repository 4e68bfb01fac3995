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

"""A trained network as its exporter wrote it, with one image of known size as input."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper, numpy_helper
from seg_ros.compile.graph import inputs_of, model_between
from seg_ros.compile.prompt_inputs import trial_prompts
from seg_ros.compile.run_onnx import Arrays, run_onnx
from seg_ros.compile.subgraph import opset_of
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.compile.trial import network_inputs, trial_images
from seg_ros.compile.value_info import set_shape
from seg_ros.core.card import InputSpec
from seg_ros.core.errors import CardError, ModelError

Layout: TypeAlias = Literal['nchw', 'nhwc']
_SHAPE_OPERATORS = ('Shape', 'Size')


@dataclass(frozen=True, eq=False)
class Network:
    """
    A network whose inputs have the shapes of a batch of one.

    :param model: model of opset 17 to 20 with its weights in initializers.
    :param input_name: name of the image input.
    :param dtype: type of the image input, float32 or float16.
    :param size_hw: height and width of the image, in pixels.
    :param spec: the card's conversion of pixels to input values.
    :param prompts: inputs that take prompts; see `compile.prompt_inputs`.
    """

    model: onnx.ModelProto
    input_name: str
    dtype: 'np.dtype[Any]'
    layout: Layout
    channels: int
    size_hw: tuple[int, int]
    spec: InputSpec = InputSpec()
    prompts: tuple[TensorInfo, ...] = ()
    _measured: dict[str, TensorInfo] = field(default_factory=dict, init=False, repr=False)
    _tried: dict[str, list[NDArray[Any]]] = field(default_factory=dict, init=False, repr=False)

    @property
    def opset(self) -> int:
        """Return the opset that the network uses."""
        return opset_of(self.model)

    @cached_property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """
        Return the network's outputs, measured in a run on zeros.

        Outputs that do not run are left out, such as those of another runtime's operators.

        :raises ModelError: if no output runs.
        """
        names = [item.name for item in self.model.graph.output]
        try:
            return self.tensor_infos(names)
        except ModelError:
            found = [infos for name in names if (infos := self._one_or_none(name))]
            if not found:
                raise
            return tuple(info for infos in found for info in infos)

    def _one_or_none(self, name: str) -> tuple[TensorInfo, ...]:
        try:
            return self.tensor_infos([name])
        except ModelError:
            return ()

    def tensor_infos(self, names: Sequence[str]) -> tuple[TensorInfo, ...]:
        """
        Measure type and shape of any tensors in the network.

        :raises ModelError: if the network does not run on an image of its size.
        """
        unknown = [name for name in names if name not in self._measured]
        if unknown:
            arrays = self.run(unknown, np.zeros(self.input_shape(1), self.dtype))
            for name, array in arrays.items():
                self._measured[name] = TensorInfo(name, array.dtype, array.shape)
        return tuple(self._measured[name] for name in names)

    def run(self, names: Sequence[str], images: NDArray[Any]) -> Arrays:
        """
        Return the values of some tensors for a batch of images.

        :param images: normalised images in the layout and type of the input.
        :raises ModelError: if the network does not run on them.
        """
        model = model_between(self.model, self.model.graph.input, names)
        for item in model.graph.input:
            if item.name == self.input_name:
                set_shape(item, images.shape)
        return run_onnx(model)(self.feeds(images))

    def trial_values(self, name: str) -> list[NDArray[Any]]:
        """
        Return the values of one tensor for each trial image.

        :raises ModelError: if the network does not run.
        """
        if name not in self._tried:
            run = run_onnx(model_between(self.model, self.model.graph.input, [name]))
            images = trial_images(self.size_hw, self.channels)
            inputs = network_inputs(images, self.spec, self.layout).astype(self.dtype)
            self._tried[name] = [run(self.feeds(one[None]))[name] for one in inputs]
        return self._tried[name]

    def feeds(self, images: NDArray[Any]) -> Arrays:
        """Return the inputs by name: images, and prompts if the network takes them."""
        return {self.input_name: images, **trial_prompts(self.prompts, self.size_hw)}

    def producer(self, tensor: str) -> onnx.NodeProto | None:
        """Return the node that writes a tensor; None for inputs and weights."""
        return self._producers.get(tensor)

    @cached_property
    def _producers(self) -> dict[str, onnx.NodeProto]:
        return {tensor: node for node in self.model.graph.node for tensor in node.output}

    def sees_pixels(self, names: Collection[str], stop_at: Collection[str] = ()) -> bool:
        """
        Return whether tensors depend on pixel values, not only on the image size.

        :param stop_at: tensors through which a dependence does not count.
        """
        if self.input_name in stop_at:
            return False
        return self.input_name in names or any(
            self.input_name in inputs_of(node) for node in self.upstream(names, stop_at)
        )

    def upstream(
        self, names: Iterable[str], stop_at: Collection[str] = ()
    ) -> Iterator[onnx.NodeProto]:
        """
        Walk back through the nodes that compute tensors; Shape and Size end the walk.

        :param stop_at: tensors that end the walk.
        """
        seen, waiting = set(stop_at), list(names)
        while waiting:
            name = waiting.pop()
            node = self.producer(name)
            if name not in seen and node is not None and node.op_type not in _SHAPE_OPERATORS:
                yield node
                waiting += inputs_of(node)
            seen.add(name)

    def is_constant(self, name: str) -> bool:
        """Return whether a tensor is a weight or the output of a Constant."""
        producer = self.producer(name)
        return name in self._weights if producer is None else producer.op_type == 'Constant'

    def value_of(self, name: str) -> NDArray[Any]:
        """Return the value of a weight, or of another tensor on a trial image."""
        if name in self._weights:
            return numpy_helper.to_array(self._weights[name])
        return self.trial_values(name)[0]

    @cached_property
    def _weights(self) -> dict[str, onnx.TensorProto]:
        return {item.name: item for item in self.model.graph.initializer}

    def input_shape(self, batch: int) -> tuple[int, ...]:
        """Return the shape of the network's input."""
        if self.layout == 'nhwc':
            return batch, *self.size_hw, self.channels
        return batch, self.channels, *self.size_hw

    def part(self, tensor_infos: Sequence[TensorInfo], batch: int | str) -> onnx.ModelProto:
        """
        Return a model that computes only `tensor_infos`.

        :param batch: number of images; a string makes the axis dynamic.
        """
        names = [tensor_info.name for tensor_info in tensor_infos]
        model = model_between(self.model, self.model.graph.input, names)
        for item in (*model.graph.input, *model.graph.output):
            del item.type.tensor_type.shape.dim[:]
        shapes = {self.input_name: (batch, *self.input_shape(1)[1:])}
        shapes |= {info.name: info.shape for info in self.prompts}
        for item in model.graph.input:
            set_shape(item, shapes[item.name])
        for item, tensor_info in zip(model.graph.output, tensor_infos, strict=True):
            item.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(tensor_info.dtype)
            set_shape(item, tensor_info.batched(batch))
        return model


def with_outputs(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """
    Return a raw model with only the named outputs; an empty list keeps all.

    :raises CardError: if an output does not exist.
    """
    if not names:
        return model
    known = {item.name: item for item in model.graph.output}
    if missing := [name for name in names if name not in known]:
        raise CardError(f'outputs: {missing}', f'some of {", ".join(known)}')
    chosen = [known[name] for name in names]
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    del whole.graph.output[:]
    whole.graph.output.extend(chosen)
    return whole
