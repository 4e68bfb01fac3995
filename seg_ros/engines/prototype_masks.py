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

"""Detections and masks, computed on the host from candidates and mask prototypes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.output_choice import CANDIDATES
from seg_ros.core.signature import ModelSignature
from seg_ros.engines.greedy_nms import greedy_nms

_MARGIN = 2     # cells computed beyond a box, for interpolation at its border


def detections_from_candidates(
    tensors: Mapping[str, NDArray[Any]], signature: ModelSignature
) -> dict[str, NDArray[Any]]:
    """
    Replace candidates and prototypes by the detections that the graph could compute itself.

    A graph computes a whole mask for every slot, even an empty one, and suppresses all candidates
    together. A CPU is faster if only filled slots are computed, and masks only inside their boxes;
    on a GPU the whole computation takes hardly any time.

    :param tensors: with batch axis; those not in `core.output_choice.CANDIDATES` are kept.
    """
    images = zip(*(tensors[name] for name in CANDIDATES), strict=True)
    detections = [_detections(_Candidates(*arrays), signature) for arrays in images]
    result = {name: array for name, array in tensors.items() if name not in CANDIDATES}
    for name in detections[0]:
        result[name] = np.stack([found[name] for found in detections])
    return result


class _Candidates(NamedTuple):
    """
    The candidates of one image: M boxes with scores and classes.

    :param coefficients: (M, P), weights of the prototypes in a candidate's mask.
    :param prototypes: (P, h, w).
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int32]
    coefficients: NDArray[np.float32]
    prototypes: NDArray[np.float32]


def _detections(found: _Candidates, signature: ModelSignature) -> dict[str, NDArray[Any]]:
    """Fill one image's slots, best first."""
    slots = min(signature.max_instances, len(found.scores))
    order = np.argsort(-found.scores, kind='stable')
    alive = order[(found.scores[order] >= signature.score_floor) & (found.scores[order] > 0)]
    kept = alive[greedy_nms(found.boxes[alive], found.classes[alive], signature.iou)[:slots]]
    masks = np.zeros((slots, *found.prototypes.shape[1:]), np.uint8)
    _mix(masks, found.coefficients[kept], found.prototypes, found.boxes[kept], signature)
    return {
        'boxes': _padded(found.boxes[kept], slots), 'scores': _padded(found.scores[kept], slots),
        'classes': _padded(found.classes[kept], slots), 'masks': masks,
    }


def _padded(values: NDArray[Any], slots: int) -> NDArray[Any]:
    padded = np.zeros((slots, *values.shape[1:]), values.dtype)
    padded[:len(values)] = values
    return padded


def _mix(
    masks: NDArray[np.uint8], coefficients: NDArray[np.float32], prototypes: NDArray[np.float32],
    boxes: NDArray[np.float32], signature: ModelSignature,
) -> None:
    """Write one image's masks, uint8 (K, h, w), in the encoding of the graph's decoder."""
    height, width = prototypes.shape[1:]
    scale_yx = height / signature.size_hw[0], width / signature.size_hw[1]
    spans = boxes * np.array(scale_yx[::-1] * 2, np.float32)
    spans += np.array((-_MARGIN, -_MARGIN, _MARGIN + 1, _MARGIN + 1), np.float32)
    windows = np.clip(spans, 0, (width, height) * 2).astype(np.int64)
    for slot, (x0, y0, x1, y1) in enumerate(windows.tolist()):
        part = prototypes[:, y0:y1, x0:x1]
        logits = coefficients[slot] @ part.reshape(len(part), -1)
        masks[slot, y0:y1, x0:x1] = _coded(logits, signature).reshape(part.shape[1:])


def _coded(logits: NDArray[np.float32], signature: ModelSignature) -> NDArray[np.float32]:
    if signature.mask_code == 'probability':
        with np.errstate(over='ignore'):    # exp(89) is infinite, and 1 / (1 + infinity) is 0
            return np.rint(255 / (1 + np.exp(-logits)))
    return np.clip(np.rint(logits * signature.logit_steps + 128), 0, 255)
