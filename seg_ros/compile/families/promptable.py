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

"""
Networks that segment the objects at prompts, such as SAM.

References: A. Kirillov et al., Segment Anything, ICCV 2023, section 3 (several masks per prompt;
the one with the highest predicted IoU is selected); Y. Xiong et al., EfficientSAM, 2024.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.detections import rows_at
from seg_ros.compile.families.mask_boxes import boxes_of_masks
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.probabilities import holds_probabilities, logit_levels, logits_of
from seg_ros.compile.graph import attributes
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.compile.tensor_ops import indicator, scalar
from seg_ros.core.card import ModelCard
from spox import Var
import spox.opset.ai.onnx.v17 as op

NAME = 'promptable'

# With Sigmoid, as its input is positive where its output exceeds 0.5.
_CARRIERS = ('Cast', 'Identity', 'Reshape', 'Sigmoid', 'Squeeze', 'Unsqueeze')
_HALF_PIXEL = (b'half_pixel', b'pytorch_half_pixel')


@dataclass(frozen=True)
class _Outputs:
    """
    Properties of the outputs.

    :param prompts: number of prompts.
    :param choices: number of masks per prompt.
    :param map_hw: height and width of the masks.
    :param network_hw: height and width of the image.
    :param masks_are_probabilities: whether masks are probabilities instead of logits.
    """

    prompts: int
    choices: int
    map_hw: tuple[int, int]
    network_hw: tuple[int, int]
    masks_are_probabilities: bool


def read_promptable(network: Network) -> list[OutputInterpretation] | str:
    """
    Read masks (1, P, M, h, w) and predicted IoUs (1, P, M) of P prompts with M masks each.

    Masks are probabilities if all values are from 0 to 1, otherwise logits. The axis M may be
    missing if there is one mask per prompt.
    """
    if not network.prompts:
        if any('embed' in info.name for info in network.outputs):
            return 'an encoder alone: export it with its decoder, as seg_ros export sam does'
        return 'no input of prompts: boxes [N, P, 4], or points [N, P, 2, 2] with labels [N, P, 2]'
    count = network.prompts[0].shape[1]
    floats = [info for info in network.outputs if info.dtype.kind == 'f']
    found = [
        _interpretation(network, scores, masks)
        for masks in floats if len(masks.shape) in (4, 5) and masks.shape[1] == count
        for scores in floats
        if scores.shape in {(1, *masks.shape[1:-2]), (1, *masks.shape[1:-2], 1)}
    ]
    return found or 'no outputs of masks [1, P, M, h, w] and predicted IoUs [1, P, M]'


def _interpretation(
    network: Network, scores: TensorInfo, masks: TensorInfo
) -> OutputInterpretation:
    """Read masks before the network's enlargement, which costs less when masks are painted."""
    own = _before_enlargement(network, masks)
    count, (height, width) = masks.shape[1], own.shape[-2:]
    properties = _Outputs(
        count, masks.shape[2] if len(masks.shape) == 5 else 1, (height, width), network.size_hw,
        holds_probabilities(network, own.name),
    )
    words = f'{count} prompts, masks of {height}x{width}'
    if properties.masks_are_probabilities:
        words += ' from 0 to 1'
    return OutputInterpretation(
        NAME, 'promptable', (scores, own), 0, words, partial(_decode, properties),
        outputs=(scores.name, masks.name),
    )


def _before_enlargement(network: Network, masks: TensorInfo) -> TensorInfo:
    """Return the masks before a final half-pixel linear or cubic Resize to the image size."""
    node = network.producer(masks.name)
    while node is not None and node.op_type in _CARRIERS:
        node = network.producer(node.input[0])
    if node is None or node.op_type != 'Resize' or masks.shape[-2:] != network.size_hw:
        return masks
    facts = attributes(node)
    rule = facts.get('coordinate_transformation_mode', b'half_pixel')
    if rule not in _HALF_PIXEL or facts.get('mode', b'nearest') == b'nearest':
        return masks
    (own,) = network.tensor_infos([node.input[0]])
    return own


def _decode(
    outputs: _Outputs, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Select each prompt's best mask; slots stay in the order of the prompts.

    The file requires float32: 16 bits would round the coordinates of prompts.
    """
    slots, cells = outputs.prompts, outputs.map_hw[0] * outputs.map_hw[1]
    ious = op.reshape(op.cast(tensors[0], to=np.float32), _shape(slots, outputs.choices))
    masks = op.reshape(op.cast(tensors[1], to=np.float32), _shape(slots * outputs.choices, cells))
    best = op.arg_max(ious, axis=2, keepdims=False)
    first = np.arange(slots)[None] * outputs.choices
    masks = rows_at(masks, op.add(best, op.const(first)))
    masks = logits_of(masks) if outputs.masks_are_probabilities else masks
    scores = op.clip(op.reduce_max(ious, axes=[2], keepdims=False), scalar(0), scalar(1))
    above = op.greater_or_equal(scores, scalar(options.score_floor))
    scores = op.mul(scores, indicator(above))
    inside = indicator(op.greater(masks, scalar(0)))
    levels = logit_levels(masks, 4)
    return Decoded({
        'boxes': boxes_of_masks(inside, slots, outputs.map_hw, outputs.network_hw),
        'scores': scores,
        'classes': op.cast(op.mul(scores, scalar(0)), to=np.int32),
        'masks': op.cast(op.reshape(levels, _shape(slots, *outputs.map_hw)), to=np.uint8),
    }, {
        'score_floor': options.score_floor, 'max_instances': slots, 'top_k': slots,
        'mask_frame': 'image', 'mask_code': 'logit4', 'max_prompts': slots, 'arithmetic': 'f32',
    })


def _shape(*sides: int) -> Var:
    return op.const(np.array([-1, *sides]))
