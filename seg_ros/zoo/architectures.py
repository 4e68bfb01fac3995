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


@dataclass(frozen=True)
class Architecture:
    """
    One named architecture.

    :param task: default task of the exported network.
    :param module: module of `seg_ros.zoo.networks` that defines `build(request)`.
    :param encoder: default encoder; empty if there is no choice.
    :param packages: required packages in addition to torch.
    :param divisor: height and width must be multiples of it.
    :param description: short description with the paper's year.
    :param card: entries of the card that the architecture determines, besides task and input size.
    :param tasks: tasks for which its outputs can be interpreted.
    :param square: whether height and width must be equal.
    """

    task: Task
    module: str
    encoder: str
    packages: tuple[str, ...]
    divisor: int
    description: str
    card: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[Task, ...] = ()
    square: bool = False


_SMP, _TV, _HF = ('segmentation_models_pytorch',), ('torchvision',), ('transformers',)
# Thresholds of the published post-processing of queries.
_QUERY_THRESHOLDS = {'thresholds': {'score': 0.5, 'mask': 0.5, 'visible': 0.8}}
_ALL_TASKS: tuple[Task, ...] = ('panoptic', 'semantic', 'instance')

ARCHITECTURES: Mapping[str, Architecture] = {
    'segnet': Architecture(
        'semantic', 'segnet', '', (), 1, 'VGG16 and its mirror, linked by pooling indices (2015)',
    ),
    'unet': Architecture(
        'semantic', 'from_smp', 'resnet34', _SMP, 32, 'encoder and decoder with skips (2015)',
    ),
    'fcn': Architecture(
        'semantic', 'from_torchvision', 'resnet50', _TV, 8, 'fully convolutional ResNet (2015)',
    ),
    'deeplabv1': Architecture(
        'semantic', 'deeplabv1', '', (), 8, 'atrous VGG16, LargeFOV, dense CRF (2014)',
        {'refine': 'crf'},
    ),
    'deeplabv2': Architecture(
        'semantic', 'deeplabv2', 'resnet50', _TV, 8, 'atrous ResNet, ASPP, dense CRF (2016)',
        {'refine': 'crf'},
    ),
    'deeplabv3': Architecture(
        'semantic', 'from_torchvision', 'resnet50', _TV, 8,
        'atrous ResNet, ASPP with image pooling (2017)',
    ),
    'deeplabv3plus': Architecture(
        'semantic', 'from_smp', 'resnet34', _SMP, 16, 'DeepLab v3 with a decoder (2018)',
    ),
    'pspnet': Architecture(
        'semantic', 'from_smp', 'resnet34', _SMP, 8, 'pyramid pooling (2017)',
    ),
    'fpn': Architecture(
        'semantic', 'from_smp', 'resnet34', _SMP, 32, 'panoptic feature pyramid (2019)',
    ),
    'gscnn': Architecture(
        'semantic', 'gscnn', 'resnet50', _TV, 8,
        'gated shape stream, Canny edges in the graph (2019)',
    ),
    'lraspp': Architecture(
        'semantic', 'from_torchvision', 'mobilenet_v3_large', _TV, 16,
        'MobileNetV3 with a reduced ASPP (2019)',
    ),
    'segformer': Architecture(
        'semantic', 'from_transformers', 'b0', _HF, 32, 'hierarchical transformer (2021)',
    ),
    'mask_rcnn': Architecture(
        'instance', 'mask_rcnn', 'resnet50', _TV, 32,
        'proposals, boxes and a mask for each (2017)',
        {'snap': 'whole_pixels', 'thresholds': {'score': 0.5, 'visible': 0.0}},
    ),
    'maskformer': Architecture(
        'panoptic', 'from_transformers', 'swin-tiny', _HF, 32,
        'queries that each predict a class and a mask (2021)', _QUERY_THRESHOLDS, _ALL_TASKS,
    ),
    'mask2former': Architecture(
        'panoptic', 'from_transformers', 'swin-tiny', _HF, 32,
        'queries that attend within their masks (2022)', _QUERY_THRESHOLDS, _ALL_TASKS,
    ),
    'eomt': Architecture(
        'panoptic', 'from_transformers', 'base', _HF, 16,
        'queries inside a plain vision transformer (2025)', _QUERY_THRESHOLDS, _ALL_TASKS,
        square=True,
    ),
    'clipseg': Architecture(
        'semantic', 'from_transformers', 'rd64-refined', _HF, 16,
        'classes given by text embeddings, which are stored as weights (2022)',
        {'scores': 'multilabel'}, square=True,
    ),
    'rf_detr_seg': Architecture(
        'instance', 'from_rfdetr', 'nano', ('rfdetr',), 12,
        'real-time queries with boxes and masks (2025)',
        {'thresholds': {'score': 0.5, 'visible': 0.0}}, square=True,
    ),
    'sam': Architecture(
        'promptable', 'sam', 'vit-base', _HF, 16,
        'the object in a box or at a point, encoder and decoder in one network (2023)',
        # The authors scale the longer side and pad below or to the right with the mean colour.
        {
            'input': {'fit': 'letterbox', 'align': 'top_left', 'pad': 116},
            'thresholds': {'score': 0.5, 'visible': 0.0},
        }, square=True,
    ),
    'panoptic_deeplab': Architecture(
        'panoptic', 'panoptic_deeplab', 'resnet50', _TV, 16,
        'class scores, centres and offsets to them (2020)',
        {'thresholds': {'score': 0.1}, 'scores': 'logits'},
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
