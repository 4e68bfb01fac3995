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

"""Decodes class scores and masks of queries for each task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.detections import rows_at, top_k
from seg_ros.compile.families.mask_boxes import boxes_of_masks
from seg_ros.compile.families.output_interpretation import Decoded
from seg_ros.compile.families.probabilities import logit_levels, logits_of
from seg_ros.compile.tensor_ops import indicator, scalar
from seg_ros.core.card import Task
from spox import Var
import spox.opset.ai.onnx.v17 as op


@dataclass(frozen=True)
class Queries:
    """
    Properties of the queries.

    :param count: number of queries.
    :param classes: number of classes without the no-object class.
    :param map_hw: height and width of the masks.
    :param network_hw: height and width of the image.
    :param has_no_object: whether the last column is the no-object class.
    :param softmax: whether scores are a softmax over all columns, not a sigmoid for each class.
    :param has_boxes: whether the network also gives boxes; scores then depend on classes alone,
        not on masks.
    :param scores_are_probabilities: whether class scores are already probabilities.
    :param masks_are_probabilities: whether masks are already probabilities.
    """

    count: int
    classes: int
    map_hw: tuple[int, int]
    network_hw: tuple[int, int]
    has_no_object: bool
    softmax: bool
    has_boxes: bool
    scores_are_probabilities: bool
    masks_are_probabilities: bool

    def __str__(self) -> str:
        facts = {
            'boxes': self.has_boxes, 'class scores from 0 to 1': self.scores_are_probabilities,
            'masks from 0 to 1': self.masks_are_probabilities,
        }
        more = ''.join(f', {words}' for words, is_so in facts.items() if is_so)
        return f'{self.count} queries, masks of {self.map_hw[0]}x{self.map_hw[1]}{more}'

    def _all_probabilities(self, scores: Var) -> Var:
        """Return class probabilities (N, Q, columns), including the no-object class."""
        scores = op.cast(scores, to=np.float32)
        if self.scores_are_probabilities:
            return scores
        return op.softmax(scores, axis=2) if self.softmax else op.sigmoid(scores)

    def _probabilities(self, scores: Var) -> Var:
        """Return class probabilities (N, Q, C) without the no-object class."""
        columns = self._all_probabilities(scores)
        if not self.has_no_object:
            return columns
        return op.slice(columns, op.const([0]), op.const([self.classes]), op.const([2]))

    def _flat_masks(self, masks: Var) -> Var:
        """Return masks with flattened pixels, (N, Q, h * w)."""
        cells = self.map_hw[0] * self.map_hw[1]
        return op.reshape(
            op.cast(masks, to=np.float32), op.const(np.array([-1, self.count, cells]))
        )

    def _mask_probabilities(self, masks: Var) -> Var:
        """Return masks as probabilities."""
        return masks if self.masks_are_probabilities else op.sigmoid(masks)

    def semantic(self, tensors: Sequence[Var], options: ExportOptions) -> Decoded:
        """
        Sum the masks' probabilities, weighted by the class probabilities.

        The sums are interpolated without normalisation, as in the networks' own post-processing;
        a pixel's confidence is the share of its class in their total.
        """
        probabilities = op.transpose(self._probabilities(tensors[0]), perm=[0, 2, 1])
        sums = op.matmul(probabilities, self._mask_probabilities(self._flat_masks(tensors[1])))
        square = op.reshape(sums, op.const(np.array([-1, self.classes, *self.map_hw])))
        return Decoded({'logits': square}, {
            'upsampling': 'half_pixel', 'enlarged': False, 'activation': 'share',
        })

    def instances(self, tensors: Sequence[Var], options: ExportOptions) -> Decoded:
        """
        Select the best pairs of query and class.

        A pair's score is multiplied by the mean probability of its mask, unless the network gives
        boxes. Boxes are computed from masks: no network of this family crops masks to its own
        boxes.
        """
        pairs = self.count * self.classes
        chosen = min(options.top_k, self.count if self.softmax else pairs)
        slots = min(options.max_instances, chosen)
        flat = op.reshape(self._probabilities(tensors[0]), op.const(np.array([-1, pairs])))
        scores, index = top_k(flat, chosen)
        query = op.div(index, op.const(np.int64(self.classes)))
        label = indicator(op.sub(index, op.mul(query, op.const(np.int64(self.classes)))))
        masks = rows_at(self._flat_masks(tensors[1]), query)
        masks = logits_of(masks) if self.masks_are_probabilities else masks
        inside = indicator(op.greater(masks, scalar(0)))
        if not self.has_boxes:
            scores = op.mul(scores, _mean_inside(masks, inside))
        above = indicator(op.greater_or_equal(scores, scalar(options.score_floor)))
        scores = op.mul(scores, above)
        scores, order = top_k(scores, slots)
        filled = indicator(op.greater(scores, scalar(0)))
        boxes = boxes_of_masks(rows_at(inside, order), slots, self.map_hw, self.network_hw)
        levels = logit_levels(rows_at(masks, order), 16)
        shape = op.const(np.array([-1, slots, *self.map_hw]))
        return Decoded({
            'boxes': op.mul(boxes, op.unsqueeze(filled, op.const([2]))),
            'scores': scores,
            'classes': op.cast(op.mul(rows_at(label, order), filled), to=np.int32),
            'masks': op.cast(op.reshape(levels, shape), to=np.uint8),
        }, {
            'score_floor': options.score_floor, 'max_instances': slots, 'top_k': chosen,
            'mask_frame': 'image', 'mask_code': 'logit16',
        })

    def panoptic(self, tensors: Sequence[Var], options: ExportOptions) -> Decoded:
        """
        Output the masks of the best queries as `rivals`, which compete on the host at image size.

        A query whose most probable class is no object does not compete, whatever its second one.
        """
        slots = min(options.max_instances, self.count)
        probabilities = self._probabilities(tensors[0])
        likeliest = op.reduce_max(probabilities, axes=[2], keepdims=False)
        if self.has_no_object and self.softmax:
            most = op.reduce_max(self._all_probabilities(tensors[0]), axes=[2], keepdims=False)
            likeliest = op.mul(likeliest, indicator(op.greater_or_equal(likeliest, most)))
        above = indicator(op.greater_or_equal(likeliest, scalar(options.score_floor)))
        scores, query = top_k(op.mul(likeliest, above), slots)
        filled = indicator(op.greater(scores, scalar(0)))
        label = indicator(op.arg_max(rows_at(probabilities, query), axis=2, keepdims=False))
        masks = self._mask_probabilities(rows_at(self._flat_masks(tensors[1]), query))
        return Decoded({
            'scores': scores,
            'classes': op.cast(op.mul(label, filled), to=np.int32),
            'rivals': op.reshape(masks, op.const(np.array([-1, slots, *self.map_hw]))),
        }, {
            'score_floor': options.score_floor, 'max_instances': slots, 'upsampling': 'half_pixel',
        })


def _mean_inside(masks: Var, inside: Var) -> Var:
    """Return the mean probability inside each mask, (N, M)."""
    total = op.reduce_sum(op.mul(op.sigmoid(masks), inside), op.const([2]), keepdims=False)
    cells = op.reduce_sum(inside, op.const([2]), keepdims=False)
    return op.div(total, op.add(cells, scalar(1e-6)))


DECODERS: Mapping[Task, Callable[[Queries, Sequence[Var], ExportOptions], Decoded]] = {
    'semantic': Queries.semantic, 'instance': Queries.instances, 'panoptic': Queries.panoptic,
}
