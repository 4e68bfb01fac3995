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

"""Scales random weights so that outputs are worth comparing when there are no trained ones."""

from typing import Any

from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.networks.sam import example_prompts, prompts_from_boxes
import torch
from torch import nn, Tensor
from torch.nn import functional

_SCORES, _MASKS = 2.0, 4.0      # standard deviations of logits, enough for clear decisions
_RARE = 3.0         # standard deviations above the mean at which a class's sigmoid is 0.5
_COVERED = 0.15     # fraction of the image that a query's mask covers


def scale_random_weights(
    network: nn.Module, request: NetworkRequest, images: Tensor
) -> nn.Module:
    """
    Set the statistics of batch normalisation from images, and scale the last layers or outputs.

    :param request: from which the network was built.
    :param images: (N, 3, H, W), normalised; scales are measured on the first.
    :returns: the network in evaluation mode, or a wrapper around it.
    """
    single = images[:1]
    network.eval()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')
            if 'offset' in request.architecture.outputs:
                _smooth(layer)
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
            layer.train()
    with torch.no_grad():
        _backbone(network, request)(images)
        network.eval()
        if request.name == 'mask_rcnn':
            return _scale_detector(network, single)
        if request.architecture.prompts:
            return _RescaledPrompted(network, request, single).eval()
        outputs = network(single)
        if request.name == 'clipseg':
            _scale_clipseg(network, single, outputs)
        elif isinstance(outputs, Tensor):
            _scale_last(network, single, outputs)
        else:
            return _Rescaled(network, request, outputs).eval()
        return network


def _smooth(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """Make every kernel bell-shaped: maps of objects' centres vary slowly, unlike noise."""
    tall, wide = (
        torch.hann_window(side + 2, periodic=False)[1:-1] for side in layer.kernel_size
    )
    factor = layer.weight[:, :, :1, :1].clone()
    layer.weight.data = factor * torch.outer(tall, wide)


def _backbone(network: Any, request: NetworkRequest) -> Any:
    """Return the part that takes several images, where the whole network takes only one."""
    if request.architecture.prompts:
        return network.network.vision_encoder
    return network.network.backbone if request.name == 'mask_rcnn' else network


def _scale_clipseg(network: nn.Module, images: Tensor, scores: Tensor) -> None:
    """Scale the layer that computes one channel for each text."""
    last = [layer for layer in network.modules() if isinstance(layer, nn.ConvTranspose2d)][-1]
    last.weight.mul_(_SCORES / scores.std())
    last.bias.sub_(network(images).mean())


def _scale_last(network: nn.Module, images: Tensor, scores: Tensor) -> None:
    last = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)][-1]
    last.weight.mul_(_SCORES / (scores.std((0, 2, 3)) + 1e-12)[:, None, None, None])
    if last.bias is not None:
        last.bias.sub_(network(images).mean((0, 2, 3)))


def _scale_detector(network: Any, images: Tensor) -> Any:
    """Scale the heads of a Mask R-CNN so that proposals, classes and masks differ."""
    model = network.network
    heads = model.roi_heads
    maps = list(model.backbone(images).values())
    objectness, _ = model.rpn.head(maps)
    values = torch.cat([level.flatten() for level in objectness])
    model.rpn.head.cls_logits.weight.mul_(_SCORES / values.std())
    model.rpn.head.bbox_pred.weight.mul_(0.02)
    proposals, _ = network.propose(maps)
    features = heads.box_head(network.box_pool(maps[:network.levels], proposals))
    scores, _ = heads.box_predictor(features)
    heads.box_predictor.cls_score.weight.mul_(_MASKS / scores.std())
    heads.box_predictor.bbox_pred.weight.mul_(0.1)
    heads.mask_predictor.mask_fcn_logits.weight.mul_(_MASKS / 2)
    return network


class _RescaledPrompted(nn.Module):
    """Rescales a promptable network: masks cover parts of the image, and scores differ."""

    def __init__(self, network: nn.Module, request: NetworkRequest, images: Tensor) -> None:
        super().__init__()
        self.network = network
        high, wide = images.shape[2:]
        count = len(example_prompts(request)[0][0])
        boxes = torch.rand(count, 2, 2).sort(1).values * torch.tensor([wide, high])
        masks, scores = network(images, *prompts_from_boxes(boxes.reshape(-1, 4)))
        masks = _blurred(masks)
        least = masks.flatten(3).quantile(1 - _COVERED, 3)[..., None, None]
        self.register_buffer('least', least)
        self.register_buffer('factor', _MASKS / ((masks - least).std() + 1e-12))
        self.register_buffer('mean', scores.mean())
        self.register_buffer('spread', scores.std() + 1e-12)

    def forward(self, images: Tensor, points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        masks, scores = self.network(images, points, labels)
        likely = torch.sigmoid((scores - self.mean) / self.spread)
        return (_blurred(masks) - self.least) * self.factor, likely


def _blurred(masks: Tensor) -> Tensor:
    """Smooth masks to resemble those of trained networks: (1, P, M, h, w)."""
    return functional.avg_pool2d(masks.flatten(1, 2), 7, 1, 3).reshape(masks.shape)


class _Rescaled(nn.Module):
    """Rescales a network's outputs to the spread of a trained network's."""

    def __init__(
        self, network: nn.Module, request: NetworkRequest, outputs: tuple[Tensor, ...]
    ) -> None:
        super().__init__()
        self.network = network
        queries = any(output.ndim == 3 for output in outputs)
        for number, output in enumerate(outputs):
            # Centres each class over queries or pixels, so that classes remain comparable.
            axes = (0, 1) if output.ndim == 3 else (0, 2, 3)
            mean = output.mean(axes, keepdim=True)
            if queries and output.ndim == 4:    # each mask covers a part of the image
                mean = output.flatten(2).quantile(1 - _COVERED, 2)[:, :, None, None]
            spread = (output - mean).std() + 1e-12
            if output.ndim == 3 and 'boxes' in request.architecture.outputs:
                # Sigmoids, most of them low.
                mean = mean + _RARE * spread
            wanted = _MASKS if output.ndim == 4 else 1.5 * _SCORES
            self.register_buffer(f'mean{number}', mean)
            self.register_buffer(f'factor{number}', wanted / spread)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(
            (output - getattr(self, f'mean{number}')) * getattr(self, f'factor{number}')
            for number, output in enumerate(self.network(images))
        )
