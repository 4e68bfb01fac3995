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

"""Networks that apply NMS themselves and give a small mask over each box, such as Mask R-CNN."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.detections import columns, rows_at
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.probabilities import (
    bytes_from_probabilities,
    probabilities_from_masks,
    unit_of,
)
from seg_ros.compile.families.row_form import are_corners, box_unit, RowForm
from seg_ros.compile.families.slot_tensors import (
    best_slots,
    chosen_masks,
    filled_seen,
    labels_seen,
    Slots,
    slots_of,
    together,
)
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.card import ModelCard
from spox import Var
import spox.opset.ai.onnx.v17 as op

NAME = 'box_masks'
_MAX_SIDE = 112     # side in cells of a mask over a box: 14, 28 and 56 are usual


def read_box_masks(network: Network) -> list[OutputInterpretation] | str:
    """
    Read boxes (N, K, 4), scores (N, K), labels (N, K) and masks over the boxes (N, K, m, m).

    Boxes are corners in network pixels or relative to the image size; scores may be their fifth
    column. Labels are whole numbers, indexes of the card's classes. Masks are probabilities,
    logits or bytes, and may have an axis for their single channel.
    """
    likely = [
        (slots, slots.boxes) for slots in slots_of(network)
        if slots.boxes and _lies_over_box(slots.map_hw)
    ]
    for slots, boxes in likely:
        if not are_corners(_filled_boxes(network, slots, boxes)):
            return (
                f'{boxes} are not corners x0, y0, x1, y1: the second precedes the first in some; '
                'export corners'
            )
    return [_interpretation(network, slots, boxes) for slots, boxes in likely] or (
        'no outputs of boxes [N, K, 4], scores [N, K] from 0 to 1 or logits, labels [N, K] and '
        'masks [N, K, m, m] with one K'
    )


def _interpretation(
    network: Network, slots: Slots, boxes: TensorInfo
) -> OutputInterpretation:
    """Describe the slots that trial images fill."""
    seen, unit = labels_seen(network, slots), unit_of(network, slots.masks.name)
    corners, (height, width) = _filled_boxes(network, slots, boxes), slots.map_hw
    form = RowForm(box_unit(corners, network.size_hw), corners=True)
    facts = [
        f'{slots.count} boxes with masks of {height}x{width} over them',
        f'labels {seen.min()} to {seen.max()} on trial images' if seen.size
        else 'none on trial images: assumed to be in pixels',
    ]
    if form.unit_xy != (1, 1):
        facts.append('boxes from 0 to 1')
    return OutputInterpretation(
        NAME, 'instance', slots.infos, 0, ', '.join([*facts, *slots.facts(unit)]),
        partial(_decode, slots, form, unit), slots.outputs,
        least_classes=int(seen.max(initial=-1)) + 1,
    )


def _filled_boxes(network: Network, slots: Slots, boxes: TensorInfo) -> NDArray[np.float64]:
    """Return the boxes of the slots that trial images fill, (slots, 4 or 5)."""
    return together(network, boxes)[filled_seen(network, slots)].astype(np.float64)


def _lies_over_box(map_hw: tuple[int, int]) -> bool:
    return map_hw[0] == map_hw[1] <= _MAX_SIDE


def _decode(
    slots: Slots, form: RowForm, unit: int, tensors: Sequence[Var], card: ModelCard,
    options: ExportOptions,
) -> Decoded:
    """
    Fill the slots best first, without those whose label is not a class of the card.

    :param unit: value of a probability of 1 in masks; see `unit_of`.
    """
    chosen = best_slots(slots, tensors, card, options)
    masks = chosen_masks(slots, tensors[1], chosen)
    corners = columns(op.cast(tensors[2], to=np.float32), 0, 4)
    boxes = rows_at(form.boxes(corners), chosen.index)
    return Decoded({
        'boxes': op.mul(boxes, op.unsqueeze(chosen.filled, op.const([2]))),
        'scores': chosen.scores,
        'classes': chosen.classes,
        'masks': bytes_from_probabilities(probabilities_from_masks(masks, unit)),
    }, {
        'score_floor': options.score_floor, 'max_instances': chosen.count, 'mask_frame': 'box',
        'mask_code': 'probability', 'snap': card.snap,
    })
