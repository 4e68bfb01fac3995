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

"""Quantises the trunk's convolutions to int8, with scales calibrated on images, as Q/DQ nodes."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from numpy.typing import NDArray
import onnx
from seg_ros.compile.prompt_inputs import trial_boxes
from seg_ros.compile.trunk import trunk_nodes, weighted_nodes
from seg_ros.core.errors import ImageError, SegError, SettingError
from seg_ros.core.frame import Pixels
from seg_ros.core.tensors import IMAGE, PROMPTS


def with_int8_trunk(
    model: onnx.ModelProto, batches: Iterable[Pixels], keep: Sequence[str] = ()
) -> onnx.ModelProto:
    """
    Quantise the inputs and weights of the trunk's convolutions in the form that TensorRT parses.

    Zero points are 0, scales are per channel for weights and per tensor for inputs, biases stay
    floats. Outputs are not quantised, and neither are the last convolutions, whose results leave
    the trunk. Weights use seven bits: CPUs without VNNI saturate with eight.

    :param batches: calibration images as the network gets them, uint8 (1, H, W, channels).
    :param keep: name patterns of nodes that stay in float32; see `trunk_nodes`.
    :raises SettingError: if a pattern matches no node, or all convolutions are excluded.
    :raises ImageError: if there are no images.
    :raises SegError: if ONNX Runtime's quantisation cannot be imported.
    """
    try:
        from onnxruntime.quantization import QuantFormat, quantize_static, QuantType
    except ImportError as error:
        raise SegError(
            f'int8 needs the quantisation of ONNX Runtime ({error})',
            do='pip install --upgrade onnxruntime',
        ) from error
    chosen, whole = _convolutions(model, keep), onnx.ModelProto()
    whole.CopyFrom(model)
    with TemporaryDirectory() as folder, _without_advice():
        path = Path(folder) / 'int8.onnx'
        quantize_static(
            whole, path, _reader(batches, model), quant_format=QuantFormat.QDQ, per_channel=True,
            reduce_range=True, op_types_to_quantize=['Conv'], nodes_to_quantize=chosen,
            activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
            extra_options={
                'ActivationSymmetric': True, 'WeightSymmetric': True, 'QuantizeBias': False,
                'OpTypesToExcludeOutputQuantization': ['Conv'],
            },
        )
        quantised = onnx.load(path)
    _repair(quantised, model)
    return quantised


def _convolutions(model: onnx.ModelProto, keep: Sequence[str]) -> list[str]:
    """
    Return the names of the convolutions to quantise.

    :raises SettingError: if there are none: ONNX Runtime would then quantise all.
    """
    feeding = weighted_nodes(model)[1]
    chosen = [
        node.name for node in trunk_nodes(model, keep)
        if node.op_type == 'Conv' and node.name in feeding
    ]
    if not chosen:
        raise SettingError(
            'int8 without any convolution to quantise',
            'convolutions before the last ones that match no --keep pattern',
            'use --precision fp16',
        )
    return chosen


def _reader(batches: Iterable[Pixels], model: onnx.ModelProto) -> Any:
    """Provide images, with prompts all over them, to the calibration of ONNX Runtime."""
    from onnxruntime.quantization import CalibrationDataReader

    iterator = _checked(batches)

    class Reader(CalibrationDataReader):

        def __init__(self) -> None:
            self._batches = iterator

        def get_next(self) -> 'dict[str, NDArray[Any]] | None':
            batch = next(self._batches, None)
            return None if batch is None else {IMAGE: batch, **_prompts(model, batch)}

    return Reader()


def _checked(batches: Iterable[Pixels]) -> Iterator[Pixels]:
    """Return an iterator of images; an empty one raises an error."""
    iterator = iter(batches)
    for first in iterator:
        return chain([first], iterator)
    raise ImageError('no image to calibrate int8 on', 'images like those of the robot')


def _prompts(model: onnx.ModelProto, batch: Pixels) -> dict[str, NDArray[Any]]:
    for item in model.graph.input:
        if item.name == PROMPTS:
            count = item.type.tensor_type.shape.dim[1].dim_value
            return {PROMPTS: trial_boxes(count, (batch.shape[1], batch.shape[2]))}
    return {}


@contextmanager
def _without_advice() -> Iterator[None]:
    """Suppress the library's advice on pre-processing and its warnings about float biases."""

    def wanted(record: logging.LogRecord) -> bool:
        words = record.getMessage()
        return 'pre-processing' not in words and 'Expected bias' not in words

    root = logging.getLogger()
    root.addFilter(wanted)
    try:
        yield
    finally:
        root.removeFilter(wanted)


def _repair(quantised: onnx.ModelProto, model: onnx.ModelProto) -> None:
    """Restore metadata and versions that the library changes, and remove its inferred shapes."""
    for field in ('metadata_props', 'opset_import'):
        del getattr(quantised, field)[:]
        getattr(quantised, field).extend(getattr(model, field))
    del quantised.graph.value_info[:]
    quantised.ir_version = model.ir_version
