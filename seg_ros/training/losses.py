"""How wrong the network is."""

import torch
from torch import Tensor
from torch.nn import functional

SHARES = {'semantic': 1.0, 'center': 0.5, 'offset': 0.2}


def semantic_loss(
    logits: Tensor, classes: Tensor, weights: Tensor, emphasis: Tensor
) -> Tensor:
    """
    Cross entropy at image size, half of it over the worst 30 % of the pixels.

    :param logits: (N, C, h, w).
    :param classes: uint8 (N, H, W), 255 = void.
    :param weights: (C), of each class.
    :param emphasis: (N, H, W), of each pixel.
    """
    large = functional.interpolate(
        logits, size=classes.shape[1:], mode='bilinear', align_corners=False
    )
    each = functional.cross_entropy(
        large, classes.long(), weights, ignore_index=255, reduction='none'
    )
    each = (each * emphasis).flatten(1)
    worst = each.topk(each.shape[1] * 3 // 10, sorted=False)[0]
    return 0.5 * each.mean() + 0.5 * worst.mean()


def center_loss(logits: Tensor, centers: Tensor) -> Tensor:
    """
    Focal loss of a heat map, Law and Deng, "CornerNet" (ECCV 2018), equation 1.

    :param logits: (N, h, w).
    :param centers: (N, h, w), 1 at centres.
    """
    chance = torch.sigmoid(logits).clamp(1e-4, 1 - 1e-4)
    peak = (centers >= 0.999).float()
    hit = peak * (1 - chance) ** 2 * chance.log()
    miss = (1 - peak) * (1 - centers) ** 4 * chance ** 2 * (1 - chance).log()
    return -(hit + miss).sum() / peak.sum().clamp(min=1)


def offset_loss(offsets: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """
    Mean absolute error in cells over the pixels of things.

    :param offsets: (N, 2, h, w).
    :param weights: (N, h, w), 0 outside of things.
    """
    error = (offsets - wanted).abs().sum(1)
    return (error * weights).sum() / weights.sum().clamp(min=1)
