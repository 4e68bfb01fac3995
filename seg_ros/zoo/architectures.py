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

"""Table of the architectures, their implementations and requirements, without PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seg_ros.core.card import Task
from seg_ros.core.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """
    One named architecture.

    :param task: default task of the exported network.
    :param module: module of `seg_ros.zoo.networks` that defines `build(request)`.
    :param description: in a few words, with the paper's year.
    :param encoder: default encoder; empty if there is no choice.
    :param packages: required packages in addition to torch.
    :param divisor: height and width must be multiples of it.
    :param square: whether height and width must be equal.
    :param card: entries of the card that the architecture determines, besides task and input size.
    :param tasks: tasks for which its outputs can be interpreted.
    :param outputs: names of the outputs, in the order of the network's results.
    :param prompts: names of the inputs after the image; the module of a network with prompts
        defines `example_prompts(request)`.
    :param traced: whether it must be traced before the export, because it computes otherwise when
        it detects one.
    """

    task: Task
    module: str
    description: str
    encoder: str = ''
    packages: tuple[str, ...] = ()
    divisor: int = 1
    square: bool = False
    card: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[Task, ...] = ()
    outputs: tuple[str, ...] = ('scores',)
    prompts: tuple[str, ...] = ()
    traced: bool = False


_SMP, _TV, _HF = ('segmentation_models_pytorch',), ('torchvision',), ('transformers',)
# Thresholds of the published post-processing of queries.
_QUERY_THRESHOLDS = {'thresholds': {'score': 0.5, 'mask': 0.5, 'visible': 0.8}}
_QUERY_OUTPUTS = ('class_queries_logits', 'masks_queries_logits')
_ALL_TASKS: tuple[Task, ...] = ('panoptic', 'semantic', 'instance')

ARCHITECTURES: Mapping[str, Architecture] = {
    'segnet': Architecture(
        task='semantic', module='segnet',
        description='VGG16 and its mirror, linked by pooling indices (2015)',
    ),
    'unet': Architecture(
        task='semantic', module='from_smp', description='encoder and decoder with skips (2015)',
        encoder='resnet34', packages=_SMP, divisor=32, traced=True,
    ),
    'fcn': Architecture(
        task='semantic', module='from_torchvision',
        description='fully convolutional ResNet (2015)', encoder='resnet50', packages=_TV,
        divisor=8,
    ),
    'deeplabv1': Architecture(
        task='semantic', module='deeplabv1',
        description='atrous VGG16, LargeFOV, dense CRF (2014)', divisor=8, card={'refine': 'crf'},
    ),
    'deeplabv2': Architecture(
        task='semantic', module='deeplabv2', description='atrous ResNet, ASPP, dense CRF (2016)',
        encoder='resnet50', packages=_TV, divisor=8, card={'refine': 'crf'},
    ),
    'deeplabv3': Architecture(
        task='semantic', module='from_torchvision',
        description='atrous ResNet, ASPP with image pooling (2017)', encoder='resnet50',
        packages=_TV, divisor=8,
    ),
    'deeplabv3plus': Architecture(
        task='semantic', module='from_smp', description='DeepLab v3 with a decoder (2018)',
        encoder='resnet34', packages=_SMP, divisor=16, traced=True,
    ),
    'pspnet': Architecture(
        task='semantic', module='from_smp', description='pyramid pooling (2017)',
        encoder='resnet34', packages=_SMP, divisor=8, traced=True,
    ),
    'fpn': Architecture(
        task='semantic', module='from_smp', description='panoptic feature pyramid (2019)',
        encoder='resnet34', packages=_SMP, divisor=32, traced=True,
    ),
    'gscnn': Architecture(
        task='semantic', module='gscnn',
        description='gated shape stream, Canny edges in the graph (2019)', encoder='resnet50',
        packages=_TV, divisor=8,
    ),
    'lraspp': Architecture(
        task='semantic', module='from_torchvision',
        description='MobileNetV3 with a reduced ASPP (2019)', encoder='mobilenet_v3_large',
        packages=_TV, divisor=16,
    ),
    'segformer': Architecture(
        task='semantic', module='from_transformers', description='hierarchical transformer (2021)',
        encoder='b0', packages=_HF, divisor=32, outputs=('logits',),
    ),
    'mask_rcnn': Architecture(
        task='instance', module='mask_rcnn',
        description='proposals, boxes and a mask for each (2017)', encoder='resnet50',
        packages=_TV, divisor=32,
        card={'snap': 'whole_pixels', 'thresholds': {'score': 0.5, 'visible': 0.0}},
        outputs=('boxes', 'scores', 'labels', 'masks'),
    ),
    'maskformer': Architecture(
        task='panoptic', module='from_transformers',
        description='queries that each predict a class and a mask (2021)', encoder='swin-tiny',
        packages=_HF, divisor=32, card=_QUERY_THRESHOLDS, tasks=_ALL_TASKS, outputs=_QUERY_OUTPUTS,
    ),
    'mask2former': Architecture(
        task='panoptic', module='from_transformers',
        description='queries that attend within their masks (2022)', encoder='swin-tiny',
        packages=_HF, divisor=32, card=_QUERY_THRESHOLDS, tasks=_ALL_TASKS, outputs=_QUERY_OUTPUTS,
    ),
    'eomt': Architecture(
        task='panoptic', module='from_transformers',
        description='queries inside a plain vision transformer (2025)', encoder='base',
        packages=_HF, divisor=16, square=True, card=_QUERY_THRESHOLDS, tasks=_ALL_TASKS,
        outputs=_QUERY_OUTPUTS,
    ),
    'clipseg': Architecture(
        task='semantic', module='from_transformers',
        description='classes given by text embeddings, which are stored as weights (2022)',
        encoder='rd64-refined', packages=_HF, divisor=16, square=True,
        card={'scores': 'multilabel'}, outputs=('logits',),
    ),
    'rf_detr_seg': Architecture(
        task='instance', module='from_rfdetr',
        description='real-time queries with boxes and masks (2025)', encoder='nano',
        packages=('rfdetr',), divisor=12, square=True,
        card={'thresholds': {'score': 0.5, 'visible': 0.0}},
        outputs=('class_scores', 'masks', 'boxes'),
    ),
    'sam': Architecture(
        task='promptable', module='sam',
        description='the object in a box or at a point, encoder and decoder in one network (2023)',
        encoder='vit-base', packages=_HF, divisor=16, square=True,
        # The authors scale the longer side and pad below or to the right with the mean colour.
        card={
            'input': {'fit': 'letterbox', 'align': 'top_left', 'pad': 116},
            'thresholds': {'score': 0.5, 'visible': 0.0},
        },
        outputs=('pred_masks', 'iou_scores'), prompts=('point_coords', 'point_labels'),
    ),
    'panoptic_deeplab': Architecture(
        task='panoptic', module='panoptic_deeplab',
        description='class scores, centres and offsets to them (2020)', encoder='resnet50',
        packages=_TV, divisor=16, card={'thresholds': {'score': 0.1}, 'scores': 'logits'},
        outputs=('semantic', 'center', 'offset'),
    ),
}


@dataclass(frozen=True)
class NetworkRequest:
    """
    Specification of a network to build.

    :param name: key of `ARCHITECTURES`.
    :param classes: number of classes.
    :param size_hw: height and width of the input, in pixels.
    :param encoder: empty selects the architecture's default.
    :param weights: file with the weights of the whole network; None for random weights.
    :param options: sizes specific to the architecture, such as `width`; for small tests.
    :raises SettingError: if the architecture is unknown or the size does not suit it.
    """

    name: str
    classes: int
    size_hw: tuple[int, int]
    encoder: str = ''
    weights: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in ARCHITECTURES:
            raise SettingError(
                f'architecture {self.name!r}', f'one of {", ".join(ARCHITECTURES)}'
            )
        if self.classes < 1:
            raise SettingError(f'{self.classes} classes', 'at least one')
        divisor = self.architecture.divisor
        if any(side < divisor or side % divisor for side in self.size_hw):
            raise SettingError(
                f'a size of {self.size_hw[0]} {self.size_hw[1]} for {self.name}',
                f'multiples of {divisor}',
            )
        if self.architecture.square and self.size_hw[0] != self.size_hw[1]:
            raise SettingError(
                f'a size of {self.size_hw[0]} {self.size_hw[1]} for {self.name}', 'a square'
            )
        if self.encoder and not self.architecture.encoder:
            raise SettingError(
                f'encoder {self.encoder!r} for {self.name}', 'none: its paper has only one'
            )

    @property
    def architecture(self) -> Architecture:
        """Return the named architecture."""
        return ARCHITECTURES[self.name]

    @property
    def chosen_encoder(self) -> str:
        """Return the requested encoder, or the architecture's default."""
        return self.encoder or self.architecture.encoder
