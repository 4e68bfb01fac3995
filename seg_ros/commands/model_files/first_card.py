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
"""A template of a model card, for a network whose exporter wrote none."""

from collections.abc import Mapping, Sequence
import json

import onnx
from seg_ros.compile.exporter_card import image_dims
from seg_ros.compile.families import interpretations
from seg_ros.compile.families.derived_outputs import sources_first
from seg_ros.compile.families.output_interpretation import OutputInterpretation
from seg_ros.compile.import_onnx import network_from_model
from seg_ros.compile.network import Network
from seg_ros.core.card import InputSpec
from seg_ros.core.errors import CardError, FamilyError
from seg_ros.core.frame import ColorOrder

HEAD = """\
# A first card. Name the classes in the order of training, and make sure that the input matches
# training: fit (letterbox, stretch, shortest_side), color, mean, std."""
INPUT = """\
input:
  size: [{height}, {width}]     # height, width
  fit: {fit}
  color: {color}
  # network input = (pixel * scale - mean) / std, with scale 1/255
{numbers}"""
NUMBERS: Mapping[ColorOrder, str] = {
    'rgb': """\
  mean: [0, 0, 0]     # ImageNet: [0.485, 0.456, 0.406]
  std: [1, 1, 1]      # ImageNet: [0.229, 0.224, 0.225]""",
    'gray': """\
  mean: 0
  std: 1""",
}


def first_card(model: onnx.ModelProto, name: str, size_hw: Sequence[int] = ()) -> str:
    """
    Return a card as YAML: values found in the file, and comments on what to fill in.

    :param size_hw: input size in pixels, for a network with a dynamic input size.
    :raises ModelError: if the size is unknown, or no family can interpret the outputs.
    """
    network = _network(model, size_hw)
    found, reasons = interpretations(network)
    if not found:
        raise FamilyError(
            f'outputs {", ".join(map(str, network.outputs))} fit no family', do='; '.join(reasons)
        )
    height, width = network.size_hw
    color = network.spec.color
    found = sources_first(network, found)
    reading = found[0]
    return '\n'.join([
        HEAD, f'name: {json.dumps(name)}', f'task: {reading.task}     # read as {reading}',
        *(f'# or {other.task}: {other}' for other in found[1:]),
        *_family(reading, found),
        INPUT.format(
            height=height, width=width, fit=InputSpec().fit, color=color, numbers=NUMBERS[color]
        ),
        'classes:     # roles: traversable, dynamic, graspable, support, ignore',
        *_classes(reading),
    ])


def _network(model: onnx.ModelProto, size_hw: Sequence[int]) -> Network:
    size, dims = tuple(size_hw) or (0, 0), image_dims(model)
    channels = {*dims[1:2], *dims[3:]}
    color: ColorOrder = 'gray' if 1 in channels and 3 not in channels else 'rgb'
    spec = InputSpec(size=(size[0], size[1]), color=color)
    try:
        return network_from_model(model, spec)
    except CardError as error:
        raise CardError(
            error.seen, error.expected, f'{error.do}, or give --size HEIGHT WIDTH'
        ) from error


def _family(reading: OutputInterpretation, found: list[OutputInterpretation]) -> list[str]:
    """Return a line with the family, if another one could interpret the outputs too."""
    return [f'family: {reading.family}'] * (len({item.family for item in found}) > 1)


def _classes(reading: OutputInterpretation) -> list[str]:
    things = {'instance': ', thing: true', 'panoptic': ', thing: false'}.get(reading.task, '')
    count = reading.class_count or reading.least_classes or 1
    return [f'  - {{id: {index}, name: class_{index}{things}}}' for index in range(count)]
