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

"""Losses of the panoptic network."""

from seg_ros.training.sample import OTHER, VOID
import torch
from torch import Tensor
from torch.nn import functional

LOSS_WEIGHTS = {'semantic': 1.0, 'center': 0.5, 'offset': 0.2}


def semantic_loss(
    logits: Tensor, classes: Tensor, complete: Tensor, class_weights: Tensor,
    pixel_weights: Tensor,
) -> Tensor:
    """
    Cross entropy at image size over all known pixels and, with equal weight, the hardest ones.

    A pixel marked `OTHER` costs -log(1 - p), p being the total probability of `complete` classes.
    The hardest are 30 % of the image, or all known pixels if there are fewer.

    :param logits: (N, C, h, w).
    :param classes: uint8 (N, H, W), `OTHER` or `VOID` where there is no class.
    :param complete: bool (N, C), the classes of which no pixel is marked `OTHER`.
    :param class_weights: (C).
    :param pixel_weights: (N, H, W).
    """
    large = functional.interpolate(
        logits, size=classes.shape[1:], mode='bilinear', align_corners=False
    )
    labelled = classes.long().masked_fill(classes >= OTHER, VOID)
    each = functional.cross_entropy(
        large, labelled, class_weights, ignore_index=VOID, reduction='none'
    )
    each = each + _other_loss(large, complete) * (classes == OTHER)
    each = (each * pixel_weights).flatten(1)
    known = (classes != VOID).flatten(1).sum(1).clamp(min=each.shape[1] // 20)
    count = each.shape[1] * 3 // 10
    worst = each.topk(count, sorted=False)[0].sum(1) / known.clamp(max=count)
    return (0.5 * each.sum(1) / known + 0.5 * worst).mean()


def _other_loss(logits: Tensor, complete: Tensor) -> Tensor:
    """Return -log of the total probability of the classes that are not complete: (N, H, W)."""
    # If all are, the pixel shows what is no class, and its loss is 0.
    complete = complete & ~complete.all(1, keepdim=True)
    others = logits.masked_fill(complete[:, :, None, None], -1e4)
    return logits.logsumexp(1) - others.logsumexp(1)


def center_loss(logits: Tensor, centers: Tensor, center_mask: Tensor) -> Tensor:
    """
    Focal loss of a heat map, Law and Deng, "CornerNet" (ECCV 2018), equation 1.

    :param logits: (N, h, w).
    :param centers: (N, h, w), 1 at centres.
    :param center_mask: (N, h, w), 0 where it is unknown whether there is a centre.
    """
    score = torch.sigmoid(logits).clamp(1e-4, 1 - 1e-4)
    peak = (centers >= 0.999).float()
    hit = peak * (1 - score) ** 2 * score.log()
    miss = (1 - peak) * (1 - centers) ** 4 * score ** 2 * (1 - score).log()
    return -((hit + miss) * center_mask).sum() / peak.sum().clamp(min=1)


def offset_loss(offsets: Tensor, wanted: Tensor, offset_weights: Tensor) -> Tensor:
    """
    Weighted mean L1 error of offsets over the pixels of things, in cells.

    :param offsets: (N, 2, h, w), predicted; `wanted` likewise.
    :param offset_weights: (N, h, w), 0 outside things.
    """
    error = (offsets - wanted).abs().sum(1)
    return (error * offset_weights).sum() / offset_weights.sum().clamp(min=1)
