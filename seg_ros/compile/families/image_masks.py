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

"""Networks that select their detections themselves, with masks that span the whole image."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.mask_boxes import boxes_of_masks
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.probabilities import (
    bytes_from_probabilities,
    probabilities_from_masks,
    unit_of,
)
from seg_ros.compile.families.slot_tensors import (
    best_slots,
    chosen_masks,
    labels_seen,
    Slots,
    slots_of,
)
from seg_ros.compile.families.strip_output_ops import spans_image
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_ops import indicator, scalar
from seg_ros.core.card import ModelCard
from spox import Var
import spox.opset.ai.onnx.v17 as op

NAME = 'image_masks'
_MAX_BOX_MASK = 28      # side in cells up to which square masks are taken for masks over boxes


def read_image_masks(network: Network) -> list[OutputInterpretation] | str:
    """
    Read scores (N, K), labels (N, K) and masks over the image (N, K, h, w).

    Scores may be a fifth column of boxes, which are not used otherwise. Masks are probabilities
    from 0 to 1 or to 255, logits, or booleans.
    """
    found = [
        _interpretation(network, slots)
        for slots in slots_of(network) if _lies_over_image(network, slots.map_hw)
    ]
    return found or (
        'no outputs of scores [N, K] from 0 to 1 or logits, labels [N, K] and masks [N, K, h, w] '
        "of the image's aspect ratio with one K"
    )


def _lies_over_image(network: Network, map_hw: tuple[int, int]) -> bool:
    height, width = map_hw
    return not height == width <= _MAX_BOX_MASK and spans_image(network, map_hw)


def _interpretation(network: Network, slots: Slots) -> OutputInterpretation:
    """Describe the slots that trial images fill."""
    seen, unit = labels_seen(network, slots), unit_of(network, slots.masks.name)
    height, width = slots.map_hw
    facts = [f'{slots.count} masks of {height}x{width} over the image']
    if seen.size:
        facts.append(f'labels {seen.min()} to {seen.max()} on trial images')
    return OutputInterpretation(
        NAME, 'instance', slots.infos, 0, ', '.join([*facts, *slots.facts(unit)]),
        partial(_decode, slots, network.size_hw, unit), slots.outputs,
        least_classes=int(seen.max(initial=-1)) + 1,
    )


def _decode(
    slots: Slots, network_hw: tuple[int, int], unit: int, tensors: Sequence[Var],
    card: ModelCard, options: ExportOptions,
) -> Decoded:
    """
    Fill the slots best first; boxes are computed from the masks, which are not cropped.

    :param unit: value of a probability of 1 in masks; see `unit_of`.
    """
    chosen, map_hw = best_slots(slots, tensors, card, options), slots.map_hw
    probabilities = probabilities_from_masks(chosen_masks(slots, tensors[1], chosen), unit)
    inside = indicator(op.greater(probabilities, scalar(0.5)))
    flat = op.reshape(inside, op.const(np.array([-1, chosen.count, map_hw[0] * map_hw[1]])))
    boxes = boxes_of_masks(flat, chosen.count, map_hw, network_hw)
    return Decoded({
        'boxes': op.mul(boxes, op.unsqueeze(chosen.filled, op.const([2]))),
        'scores': chosen.scores,
        'classes': chosen.classes,
        'masks': bytes_from_probabilities(probabilities),
    }, {
        'score_floor': options.score_floor, 'max_instances': chosen.count, 'mask_frame': 'image',
        'mask_code': 'probability',
    })
