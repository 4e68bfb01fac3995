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
Torchvision's Mask R-CNN, with its weights, as a forward pass of fixed shapes.

Reference: K. He et al., Mask R-CNN, 2017. Proposals, suppression and both heads give the results
of torchvision.models.detection, in a fixed number of slots.
"""

from collections.abc import Mapping
import math
from typing import Any

from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.layers.greedy_nms import greedy_nms
from seg_ros.zoo.layers.roi_align import PyramidRoiAlign
from seg_ros.zoo.layers.sizes import size_hw_of
import torch
from torch import nn, Tensor

_MAX_LOG_SCALE = math.log(1000 / 16)    # torchvision's limit for a box's change of size
_BOX_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
_MIN_PROPOSAL, _MIN_BOX = 1e-3, 1e-2    # pixels per side
_SUPPRESSED = -1e4      # score of suppressed proposals


class StaticMaskRcnn(nn.Module):
    """
    Maps a normalised image to a fixed number of detections.

    :param network: `torchvision.models.detection.MaskRCNN` with a feature pyramid.
    :param size_hw: of the image; multiples of 32, to which torchvision pads.
    :param before: proposals of each level that enter its suppression.
    :param proposals: number of proposals for the box head.
    :param candidates: pairs of box and class that enter the last suppression.
    :param detections: number of output slots.
    """

    def __init__(
        self, network: Any, size_hw: tuple[int, int], before: int = 1000, proposals: int = 300,
        candidates: int = 300, detections: int = 50,
    ) -> None:
        super().__init__()
        self.network, self.size_hw = network.eval(), size_hw
        self.before, self.proposals = before, proposals
        self.candidates, self.detections = candidates, detections
        image = torch.zeros(1, 3, *size_hw)
        with torch.no_grad():
            maps = list(network.backbone(image).values())
        for number, anchors in enumerate(_anchors(network, image, maps)):
            self.register_buffer(f'anchors{number}', anchors.contiguous(), persistent=False)
        self.levels = len(network.roi_heads.box_roi_pool.featmap_names)
        sizes = [size_hw_of(level) for level in maps[:self.levels]]
        strides = [2 ** round(math.log2(size_hw[0] / height)) for height, _ in sizes]
        self.box_pool, self.mask_pool = (
            PyramidRoiAlign(sizes, strides, output) for output in (7, 14)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """
        Detect objects in one image (1, 3, H, W).

        :returns: boxes (1, K, 4) in pixels, scores (1, K) with 0 for empty slots, labels (1, K)
            without the background, and mask probabilities within each box (1, K, 28, 28).
        """
        maps = list(self.network.backbone(images).values())
        proposals, alive = self.propose(maps)
        levels = maps[:self.levels]
        boxes, scores, labels = self._classify(levels, proposals, alive)
        masks = self._draw(levels, boxes, labels)
        return boxes[None], scores[None], labels[None], masks[None]

    def propose(self, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the best proposals of all levels (P, 4), and 1 for filled slots (P)."""
        found, scores = [], []
        head = self.network.rpn
        for number, (score, delta) in enumerate(zip(*head.head(maps), strict=True)):
            anchors = getattr(self, f'anchors{number}')
            cells = math.prod(size_hw_of(delta))
            score = score.permute(0, 2, 3, 1).reshape(-1)
            delta = delta.reshape(int(anchors.shape[0]) // cells, 4, cells)
            value, index = score.topk(min(self.before, int(anchors.shape[0])))
            boxes = self._decoded(
                delta.permute(2, 0, 1).reshape(-1, 4)[index], anchors[index], (1.0,) * 4
            )
            large = _at_least(boxes, _MIN_PROPOSAL).to(value.dtype)
            keep = greedy_nms(boxes, large, head.nms_thresh)
            found.append(boxes)
            # Compared by logit: the probability of all logits above 17 is 1.
            scores.append(torch.where(keep > 0, value, torch.full_like(value, _SUPPRESSED)))
        score, index = torch.cat(scores).topk(self.proposals)
        return torch.cat(found)[index], (score > _SUPPRESSED).to(score.dtype)

    def _classify(
        self, maps: list[Tensor], proposals: Tensor, alive: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        heads = self.network.roi_heads
        scores, deltas = heads.box_predictor(heads.box_head(self.box_pool(maps, proposals)))
        probabilities = scores.softmax(1)[:, 1:] * alive[:, None]
        classes = int(probabilities.shape[1])
        deltas = deltas.reshape(self.proposals, classes + 1, 4)[:, 1:]
        boxes = self._decoded(deltas, proposals[:, None], _BOX_WEIGHTS).reshape(-1, 4)
        score, index = probabilities.reshape(-1).topk(self.candidates)
        boxes, label = boxes[index], index % classes
        large = _at_least(boxes, _MIN_BOX) & (score > heads.score_thresh)
        keep = greedy_nms(boxes, large.to(score.dtype), heads.nms_thresh, label)
        score, index = (score * keep).topk(self.detections)
        filled = (score > 0).to(score.dtype)[:, None]
        return boxes[index] * filled, score, label[index]

    def _draw(self, maps: list[Tensor], boxes: Tensor, labels: Tensor) -> Tensor:
        """Return mask probabilities within the boxes, computed only for each box's class."""
        heads = self.network.roi_heads
        predictor = heads.mask_predictor
        features = heads.mask_head(self.mask_pool(maps, boxes))
        features = predictor.relu(predictor.conv5_mask(features))
        last = predictor.mask_fcn_logits
        rows = last.weight.flatten(1)[labels + 1][:, None]
        side = int(features.shape[2])
        scores = (rows @ features.flatten(2)).reshape(self.detections, side, side)
        return (scores + last.bias[labels + 1][:, None, None]).sigmoid()

    def _decoded(self, deltas: Tensor, boxes: Tensor, weights: tuple[float, ...]) -> Tensor:
        """Apply deltas (..., 4) to boxes (..., 4) as torchvision's BoxCoder; clip to the image."""
        width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
        dx, dy, dw, dh = (deltas[..., axis] / weights[axis] for axis in range(4))
        center_x = dx * width + boxes[..., 0] + 0.5 * width
        center_y = dy * height + boxes[..., 1] + 0.5 * height
        half_width = 0.5 * torch.exp(dw.clamp(max=_MAX_LOG_SCALE)) * width
        half_height = 0.5 * torch.exp(dh.clamp(max=_MAX_LOG_SCALE)) * height
        high, wide = self.size_hw
        return torch.stack([
            (center_x - half_width).clamp(0, wide), (center_y - half_height).clamp(0, high),
            (center_x + half_width).clamp(0, wide), (center_y + half_height).clamp(0, high),
        ], -1)


def _at_least(boxes: Tensor, side: float) -> Tensor:
    return ((boxes[:, 2:] - boxes[:, :2]) >= side).all(1)


def _anchors(network: Any, image: Tensor, maps: list[Tensor]) -> tuple[Tensor, ...]:
    """Return the anchors of each level, (anchors, 4)."""
    from torchvision.models.detection.image_list import ImageList

    generator = network.rpn.anchor_generator
    whole = generator(ImageList(image, [size_hw_of(image)]), maps)[0]
    counts = [
        math.prod(size_hw_of(level)) * per
        for level, per in zip(maps, generator.num_anchors_per_location(), strict=True)
    ]
    parts: tuple[Tensor, ...] = whole.split(counts)
    return parts


def build(request: NetworkRequest) -> nn.Module:
    """
    Build the requested network; its classes do not include the background.

    Options besides the sizes of `StaticMaskRcnn`: `width`, channels of the pyramid and the heads,
    256 by default; `anchor`, pixels of the smallest anchor, 32 by default; and those of
    torchvision's MaskRCNN.
    """
    from torchvision.models import detection
    from torchvision.models.detection import anchor_utils, faster_rcnn, mask_rcnn

    options: dict[str, Any] = dict(request.options)
    sizes: Mapping[str, int] = {
        key: options.pop(key) for key in ('before', 'proposals', 'candidates', 'detections')
        if key in options
    }
    width, anchor = options.pop('width', 256), options.pop('anchor', 32)
    # Gives torchvision's own forward the same limits.
    limits = {
        torchs: sizes[ours] for torchs, ours in (
            ('rpn_pre_nms_top_n_test', 'before'), ('rpn_post_nms_top_n_test', 'proposals'),
            ('box_detections_per_img', 'detections'),
        ) if ours in sizes
    }
    network = detection.MaskRCNN(
        _backbone(request.chosen_encoder, width),
        rpn_anchor_generator=anchor_utils.AnchorGenerator(
            tuple((anchor * 2**level,) for level in range(5)), ((0.5, 1.0, 2.0),) * 5,
        ),
        box_head=faster_rcnn.TwoMLPHead(width * 7 * 7, 4 * width),
        box_predictor=faster_rcnn.FastRCNNPredictor(4 * width, request.classes + 1),
        mask_head=mask_rcnn.MaskRCNNHeads(width, (width,) * 4, 1),
        mask_predictor=mask_rcnn.MaskRCNNPredictor(width, width, request.classes + 1),
        **limits, **options,
    )
    return StaticMaskRcnn(network, request.size_hw, **sizes)


def _backbone(encoder: str, width: int) -> Any:
    """Return a torchvision encoder with a feature pyramid of strides 4 to 64."""
    from torchvision import models
    from torchvision.models.detection import backbone_utils
    from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

    if encoder == 'mobilenet_v2':
        trunk = models.mobilenet_v2(weights=None).features
        names, channels = ('3', '6', '13', '17'), [24, 32, 96, 320]
    else:
        trunk = models.get_model(encoder, weights=None)
        names = ('layer1', 'layer2', 'layer3', 'layer4')
        channels = [trunk.fc.in_features // 2**level for level in (3, 2, 1, 0)]
    levels = {name: str(level) for level, name in enumerate(names)}
    return backbone_utils.BackboneWithFPN(trunk, levels, channels, width, LastLevelMaxPool())
