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

"""The model card: the meaning of a network's input and its classes."""

from collections.abc import Mapping, Sequence
import colorsys
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, get_args, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import CardError
from seg_ros.core.frame import ColorOrder, LONGEST_SIDE
from seg_ros.core.shown import did_you_mean, few, shown

Task: TypeAlias = Literal['semantic', 'instance', 'panoptic', 'promptable']
FitRule: TypeAlias = Literal['letterbox', 'stretch', 'shortest_side']
Align: TypeAlias = Literal['center', 'top_left']
Resample: TypeAlias = Literal['bilinear', 'area']
ScoreKind: TypeAlias = Literal['', 'logits', 'softmax', 'sigmoid', 'multilabel']
Snap: TypeAlias = Literal['none', 'whole_pixels']
Refine: TypeAlias = Literal['none', 'crf']
Color: TypeAlias = tuple[int, int, int]

# Of networks whose backbones were trained on ImageNet.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_MAX_NUMBER = 1e6
ROLES = ('traversable', 'dynamic', 'graspable', 'support', 'ignore')


def _check_choice(name: str, value: object, allowed: object) -> None:
    """Check that `value` is one of those that a Literal allows."""
    choices = get_args(allowed)
    if value not in choices:
        raise CardError(f'{name}: {shown(value)}', f'one of {", ".join(filter(None, choices))}')


def _check_range(name: str, value: float, above: float = -_MAX_NUMBER) -> None:
    """Check that a number is in a plausible range; NaN is not."""
    if not above < value < _MAX_NUMBER:
        raise CardError(
            f'{name}: {value}', f'a number above {above:g} and below {_MAX_NUMBER:g}',
            'write what the network was trained with',
        )


@dataclass(frozen=True)
class ClassInfo:
    """
    One class; the card's `i`-th class is the network's channel `i`.

    :param id: value of this class in masks, 0 to 65534.
    :param name: name in messages and images.
    :param color: red, green, blue, 0 to 255; unique within a card.
    :param thing: whether the class is countable and has instances.
    :param roles: how consumers may use it, words in `ROLES`.
    :raises CardError: if a value is invalid.
    """

    id: int
    name: str
    color: Color
    thing: bool = False
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if type(self.id) is not int or not 0 <= self.id <= 65534:
            raise CardError(f'class {self.name} has id {shown(self.id)}', 'an id from 0 to 65534')
        if not isinstance(self.thing, bool):
            raise CardError(f'class {self.name}: thing is {shown(self.thing)}', 'true or false')
        unknown = sorted(set(self.roles) - set(ROLES))
        if unknown:
            raise CardError(
                f'class {self.name} has roles {shown(unknown)}', f'some of {", ".join(ROLES)}'
            )


@dataclass(frozen=True)
class InputSpec:
    """
    Preprocessing of the network's input.

    Network input = (pixel * scale - mean) / std, with mean and std per channel in the order of
    `color`, or one value for all.

    :param size: height and width in pixels; (0, 0) = the network's own.
    :param pad: grey level of the padding of a letterboxed image, 0 to 255.
    """

    size: tuple[int, int] = (0, 0)
    fit: FitRule = 'letterbox'
    align: Align = 'center'
    resample: Resample = 'bilinear'
    pad: int = 114
    color: ColorOrder = 'rgb'
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        for name, allowed in (
            ('fit', FitRule), ('align', Align), ('resample', Resample), ('color', ColorOrder)
        ):
            _check_choice(f'input.{name}', getattr(self, name), allowed)
        if len(self.size) != 2 or not all(0 <= side <= LONGEST_SIDE for side in self.size):
            raise CardError(
                f'input.size: {list(self.size)}',
                f'[height, width] in pixels, up to {LONGEST_SIDE} each',
            )
        for name in ('mean', 'std'):
            if len(getattr(self, name)) not in (1, self.channels):
                raise CardError(
                    f'input.{name}: {list(getattr(self, name))}',
                    f'one number, or {self.channels} for {self.color}',
                )
        _check_range('input.scale', self.scale, above=0)
        for mean in self.mean:
            _check_range('input.mean', mean)
        for std in self.std:
            _check_range('input.std', std, above=0)
        if not 0 <= self.pad <= 255:
            raise CardError(f'input.pad: {self.pad}', 'a grey level from 0 to 255')

    @property
    def channels(self) -> int:
        """Return the number of channels of the network's input."""
        return 1 if self.color == 'gray' else 3


@dataclass(frozen=True)
class CardThresholds:
    """
    Thresholds of the network's post-processing, each from 0 to 1.

    :param score: minimum score of a detection.
    :param mask: minimum probability of a mask's pixel.
    :param iou: maximum overlap of two boxes of a class; above it, the weaker is suppressed; 0 =
        the family's default.
    :param visible: minimum fraction of a segment that is not covered by others.
    :param stuff: minimum fraction of the image that a class without instances covers, for networks
        that find instances; pixels of smaller ones are unlabelled.
    """

    score: float = 0.25
    mask: float = 0.5
    iou: float = 0.0
    visible: float = 0.5
    stuff: float = 0.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not 0 <= value <= 1:
                raise CardError(f'thresholds.{item.name}: {value}', 'a number from 0 to 1')


@dataclass(frozen=True)
class ModelCard:
    """
    Everything about a model that is not in its graph.

    :param task: the kind of segmentation.
    :param family: the network family, which interprets the raw outputs; empty = detected.
    :param classes: classes in the order of the network's channels.
    :param source_sha256: digest of the file that was compiled.
    :param scores: meaning of the network's scores, if its graph does not show it or is misleading;
        see `compile.families.score_meaning`.
    :param outputs: names of the network's outputs to read, if the choice is ambiguous.
    :param unlabelled_color: colour of pixels without a class. A class may have the same colour,
        since the background of some data sets is black.
    :param snap: whether a mask that spans its box is resized to the box itself or, as in
        torchvision, to the whole pixels that the box touches.
    :param refine: what `compile` adds after class scores: `crf`, a dense conditional random field
        that aligns labels with image edges.
    :raises CardError: if ids, names or colours repeat, or a value is not one of those allowed.
    """

    name: str
    task: Task
    classes: tuple[ClassInfo, ...]
    family: str = ''
    input: InputSpec = field(default_factory=InputSpec)
    thresholds: CardThresholds = field(default_factory=CardThresholds)
    licence: str = ''
    source: str = ''
    source_sha256: str = ''
    scores: ScoreKind = ''
    outputs: tuple[str, ...] = ()
    unlabelled_color: Color = (0, 0, 0)
    snap: Snap = 'none'
    refine: Refine = 'none'

    def __post_init__(self) -> None:
        _check_choice('task', self.task, Task)
        _check_choice('snap', self.snap, Snap)
        _check_choice('refine', self.refine, Refine)
        _check_choice('scores', self.scores, ScoreKind)
        if not self.classes:
            raise CardError('a card without classes', 'at least one class with id and name')
        for key in ('id', 'name', 'color'):
            values = [getattr(item, key) for item in self.classes]
            twice = {value for value in values if values.count(value) > 1}
            if twice:
                raise CardError(f'classes share the {key} {shown(sorted(twice))}', 'one for each')
        if len(set(self.outputs)) < len(self.outputs):
            raise CardError(f'outputs: {shown(list(self.outputs))}', 'each name once')

    @cached_property
    def unlabelled(self) -> int:
        """Id of pixels without a class: 255, or 65535 if an id is above 254."""
        return 255 if max(item.id for item in self.classes) <= 254 else 65535

    @cached_property
    def id_of_channel(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """Class ids by channel; uint8, or uint16 if `unlabelled` is 65535."""
        ids = [item.id for item in self.classes]
        return np.array(ids, np.uint8 if self.unlabelled == 255 else np.uint16)

    @cached_property
    def by_id(self) -> Mapping[int, ClassInfo]:
        """Classes by id."""
        return {item.id: item for item in self.classes}

    def ids_with_role(self, role: str) -> frozenset[int]:
        """Ids of all classes with `role`."""
        return frozenset(item.id for item in self.classes if role in item.roles)

    def channels_named(self, names: Sequence[str]) -> frozenset[int]:
        """
        Channel numbers of the classes with these names.

        :raises CardError: with the names that the card does not have.
        """
        channels = {item.name: channel for channel, item in enumerate(self.classes)}
        unknown = [name for name in names if name not in channels]
        if unknown:
            raise CardError(
                f'classes {shown(unknown)} are not in the card of {self.name}',
                f'some of {few(channels)}',
                did_you_mean(unknown[0], channels),
            )
        return frozenset(channels[name] for name in names)

    def with_input_size(self, size_hw: tuple[int, int]) -> 'ModelCard':
        """Return the same card with another size of the network's input."""
        return replace(self, input=replace(self.input, size=size_hw))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML and JSON, which `card_reading` reads back."""
        return asdict(self)


def distinct_colors(count: int, taken: Sequence[Color] = ()) -> list[Color]:
    """
    Return `count` bright colours, different from each other, black, and those `taken`.

    Hues step by the golden ratio, so that consecutive colours look different.
    """
    used = {(0, 0, 0), *taken}
    colors: list[Color] = []
    step = 0
    while len(colors) < count:
        hue = step * 0.61803398875 % 1
        value = (1.0, 0.8, 0.6)[step // 24 % 3]
        red, green, blue = colorsys.hsv_to_rgb(hue, (0.85, 0.55)[step // 12 % 2], value)
        color = (round(255 * red), round(255 * green), round(255 * blue))
        if color not in used:
            used.add(color)
            colors.append(color)
        step += 1
    return colors
