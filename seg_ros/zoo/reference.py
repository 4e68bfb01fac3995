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
Published post-processing of raw outputs in PyTorch, the reference in comparisons.

It shares no code with the runtime.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.networks.sam import prompts_from_boxes
import torch
from torch import Tensor
from torch.nn import functional

Labels: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Reference:
    """
    Reference result for one image, at the image's size.

    :param labels: class channel of each pixel, -1 = none (H, W); None if there are only instances.
    :param instances: things as channel, score and mask (H, W), best first.
    """

    labels: Labels | None
    instances: list[tuple[int, float, NDArray[np.bool_]]]


def reference_of(
    network: Any, request: NetworkRequest, card: ModelCard, images: Tensor,
    source_hw: tuple[int, int], boxes: NDArray[np.float32] | None = None,
) -> Reference:
    """
    Run a network in PyTorch with its authors' post-processing.

    :param images: (1, 3, H, W), normalised, at the network's size.
    :param boxes: (P, 4), x0, y0, x1, y1 in pixels of `images`; prompts of a promptable network.
    """
    with torch.no_grad():
        if request.name == 'mask_rcnn':
            return _torchvision(network, images, source_hw, card)
        if boxes is not None:
            return _prompted(network, images, torch.from_numpy(boxes), source_hw, card)
        outputs = network(images)
        if isinstance(outputs, Tensor):
            value, labels = _enlarged(outputs, source_hw)[0].max(0)
            if card.scores == 'multilabel':     # no class where all probabilities are below 0.5
                labels[value < 0] = -1
            return Reference(labels.numpy(), [])
        if request.name == 'rf_detr_seg':
            return _rfdetr(outputs, source_hw, card)
        if request.name == 'panoptic_deeplab':
            return _centers(outputs, source_hw, card)
        return _queries(outputs, source_hw, card)


def _enlarged(scores: Tensor, size_hw: tuple[int, int]) -> Tensor:
    return functional.interpolate(scores, size_hw, mode='bilinear', align_corners=False)


def _torchvision(
    network: Any, images: Tensor, source_hw: tuple[int, int], card: ModelCard
) -> Reference:
    """Run torchvision's own forward on an image that already has the right size."""
    from torchvision.models.detection.image_list import ImageList

    model, size_hw = network.network, (int(images.shape[2]), int(images.shape[3]))
    features = model.backbone(images)
    proposals, _ = model.rpn(ImageList(images, [size_hw]), features)
    found, _ = model.roi_heads(features, proposals, [size_hw])
    (found,) = model.transform.postprocess(found, [size_hw], [source_hw])
    return Reference(None, [
        (label - 1, score, mask[0] > card.thresholds.mask)
        for label, score, mask in zip(
            found['labels'].tolist(), found['scores'].tolist(), found['masks'].numpy(),
            strict=True,
        ) if score >= card.thresholds.score
    ])


def _rfdetr(
    outputs: tuple[Tensor, ...], source_hw: tuple[int, int], card: ModelCard
) -> Reference:
    """Post-process with the package's own class, with as many slots as a compiled file."""
    from rfdetr.models.postprocess import PostProcess

    scores, masks, boxes = outputs
    (found,) = PostProcess(num_select=100)(
        {'pred_logits': scores, 'pred_boxes': boxes, 'pred_masks': masks},
        torch.tensor([source_hw]),
    )
    return Reference(None, [
        (label, score, np.asarray(mask).reshape(source_hw) > 0)
        for label, score, mask in zip(
            found['labels'].tolist(), found['scores'].tolist(), found['masks'].numpy(),
            strict=True,
        ) if score >= card.thresholds.score
    ])


def _queries(
    outputs: tuple[Tensor, ...], source_hw: tuple[int, int], card: ModelCard
) -> Reference:
    """Post-process as in section 3.4 of MaskFormer and in the released code of Mask2Former."""
    probabilities, masks = outputs[0].softmax(-1)[0], _enlarged(outputs[1].sigmoid(), source_hw)[0]
    if card.task == 'semantic':
        sums = torch.einsum('qc,qhw->chw', probabilities[:, :-1], outputs[1].sigmoid()[0])
        return Reference(_enlarged(sums[None], source_hw)[0].argmax(0).numpy(), [])
    if card.task == 'instance':
        return _query_instances(outputs, probabilities, source_hw, card)
    scores, channels = probabilities.max(-1)
    limits = card.thresholds
    kept = [
        query for query in scores.argsort(descending=True).tolist()
        if channels[query] < probabilities.shape[1] - 1 and scores[query] >= limits.score
    ]
    labels = np.full(source_hw, -1)
    instances = []
    if kept:
        winner = (masks[kept] * scores[kept][:, None, None]).argmax(0)
        for number, query in enumerate(kept):
            won, own = winner == number, masks[query] >= limits.mask
            if won.sum() > limits.visible * own.sum() and (won & own).any():
                channel, mask = int(channels[query]), (won & own).numpy()
                labels[mask] = channel
                if card.classes[channel].thing:
                    instances.append((channel, float(scores[query]), mask))
    return Reference(labels, instances)


def _query_instances(
    outputs: tuple[Tensor, ...], probabilities: Tensor, source_hw: tuple[int, int], card: ModelCard
) -> Reference:
    queries, classes = probabilities.shape[0], probabilities.shape[1] - 1
    value, index = probabilities[:, :-1].flatten().topk(queries)
    logits = outputs[1][0][index // classes]
    inside = logits > 0
    mean = (logits.sigmoid() * inside).sum((1, 2)) / (inside.sum((1, 2)) + 1e-6)
    masks = _enlarged(logits[None], source_hw)[0] > 0
    scores = value * mean
    return Reference(None, [
        (int(index[slot] % classes), float(scores[slot]), masks[slot].numpy())
        for slot in scores.argsort(descending=True).tolist()
        if scores[slot] >= card.thresholds.score and masks[slot].any()
    ])


def _prompted(
    network: Any, images: Tensor, boxes: Tensor, source_hw: tuple[int, int], card: ModelCard
) -> Reference:
    """Take each prompt's mask with the highest predicted IoU, as in section 3 of SAM's paper."""
    masks, scores = network(images, *prompts_from_boxes(boxes))
    best = scores[0].argmax(1)
    rows = range(len(best))
    likely = scores[0][rows, best]
    shown = _enlarged(masks[0][rows, best][None], source_hw)[0] > 0
    return Reference(None, [
        (0, float(likely[row]), shown[row].numpy())
        for row in likely.argsort(descending=True).tolist()
        if likely[row] >= card.thresholds.score and shown[row].any()
    ])


def _centers(
    outputs: tuple[Tensor, ...], source_hw: tuple[int, int], card: ModelCard
) -> Reference:
    """
    Group pixels as in section 3.2 of Panoptic-DeepLab, after enlarging classes and offsets.

    An object's class is the majority of its pixels'. Its score is the probability of its centre
    times the mean probability of its class.
    """
    semantic, center, offset = outputs
    labels = _enlarged(semantic, source_hw)[0].argmax(0).numpy()
    centers = center.sigmoid()[0, 0]
    # Compare logits: where the sigmoid saturates, all pixels would be maxima.
    alone = center == functional.max_pool2d(center, 5, 1, 2)
    peaks = centers * alone[0, 0]
    places = (peaks >= 0.05).nonzero()
    places = places[peaks[places[:, 0], places[:, 1]].argsort(descending=True)][:100]
    if not len(places):
        return Reference(labels, [])
    cells_yx = [
        (torch.arange(pixels) + 0.5) * cells / pixels - 0.5
        for pixels, cells in zip(source_hw, centers.shape, strict=True)
    ]
    aim = torch.stack(torch.meshgrid(*cells_yx, indexing='ij')) + _enlarged(offset, source_hw)[0]
    distance = [((aim - place[:, None, None]) ** 2).sum(0) for place in places]
    owner = torch.stack(distance).argmin(0).numpy()
    things = np.isin(labels, [index for index, item in enumerate(card.classes) if item.thing])
    sure = functional.interpolate(semantic.softmax(1), source_hw, mode='bilinear')[0].numpy()
    instances = []
    for number, place in enumerate(places.tolist()):
        mask = things & (owner == number)
        if not mask.any():
            continue
        channel = int(np.bincount(labels[mask]).argmax())
        score = float(centers[tuple(place)]) * float(sure[channel][mask].mean())
        if score >= card.thresholds.score:
            instances.append((channel, score, mask))
    for channel, _, mask in instances:
        labels[mask] = channel
    return Reference(labels, sorted(instances, key=lambda item: -item[1]))
