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

"""The model card: what a network's input and its classes mean."""

from collections.abc import Mapping, Sequence
import colorsys
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any, get_args, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import CardError
from seg_ros.core.frame import ColorOrder, LONGEST_SIDE
from seg_ros.core.shown import few, shown

Task: TypeAlias = Literal['semantic', 'instance', 'panoptic', 'promptable']
FitRule: TypeAlias = Literal['letterbox', 'stretch', 'shortest_side']
Align: TypeAlias = Literal['center', 'top_left']
Resample: TypeAlias = Literal['bilinear', 'area']
ScoreKind: TypeAlias = Literal['', 'logits', 'softmax', 'sigmoid', 'multilabel']
Snap: TypeAlias = Literal['none', 'whole_pixels']
Refine: TypeAlias = Literal['none', 'crf']
Color: TypeAlias = tuple[int, int, int]

_REACH = 1e6
ROLES = ('traversable', 'dynamic', 'graspable', 'support', 'ignore')


def _choice(name: str, value: object, allowed: object) -> None:
    """Raise unless `value` is one of a Literal's words."""
    words = get_args(allowed)
    if value not in words:
        raise CardError(f'{name}: {shown(value)}', f'one of {", ".join(filter(None, words))}')


def _in_reach(name: str, value: float, above: float = -_REACH) -> None:
    """Raise unless a number is one that networks are trained with, which NaN is not."""
    if not above < value < _REACH:
        raise CardError(
            f'{name}: {value}', f'a number above {above:g} and below {_REACH:g}',
            'write what the network was trained with',
        )


@dataclass(frozen=True)
class ClassInfo:
    """
    One class: channel `i` of the network is the card's class number `i`.

    :param id: what the masks carry for this class, 0 to 65534.
    :param name: what messages and images call it.
    :param color: red, green, blue, 0 to 255; unique within a card.
    :param thing: countable, so that it has instances.
    :param roles: what consumers may do with it, words of `ROLES`.
    :raises CardError: if any of them cannot be what it says.
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
    What the network wants to see.

    Network input = (pixel * scale - mean) / std, where mean and std are given per channel in the
    order of `color`, or once for all.

    :param size: height and width in pixels; (0, 0) takes them from the network.
    :param pad: grey level beside a letterboxed image, 0 to 255.
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
            _choice(f'input.{name}', getattr(self, name), allowed)
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
        _in_reach('input.scale', self.scale, above=0)
        for mean in self.mean:
            _in_reach('input.mean', mean)
        for std in self.std:
            _in_reach('input.std', std, above=0)
        if not 0 <= self.pad <= 255:
            raise CardError(f'input.pad: {self.pad}', 'a grey level from 0 to 255')

    @property
    def channels(self) -> int:
        """How many channels the network sees."""
        return 1 if self.color == 'gray' else 3


@dataclass(frozen=True)
class CardThresholds:
    """
    Where the network's own post-processing cuts; each from 0 to 1.

    :param score: a detection's least score.
    :param mask: a mask pixel's least probability.
    :param iou: above this overlap the weaker of two boxes of a class goes; 0 leaves the choice to
        the family.
    :param visible: least share of a segment that others may leave uncovered.
    :param stuff: least share of the image that a class without instances covers, of networks that
        find instances; of a smaller share the pixels are unlabelled.
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
    Everything about a model that its graph does not say.

    :param task: what the masks mean.
    :param family: who reads the raw outputs; empty lets `compile` find out.
    :param classes: in the order of the network's channels.
    :param source_sha256: of the file that was compiled.
    :param scores: what the network's scores mean, where its graph does not say or misleads; see
        `compile.families.score_meaning`.
    :param outputs: the network's outputs to read, where it has several that could be meant.
    :param unlabelled_color: of pixels without a class. A class may have it too, as the background
        of some data sets is black.
    :param snap: whether a mask that spans its box is laid over the box itself or, as torchvision
        pastes it, over the whole pixels that the box touches.
    :param refine: what `compile` adds after class scores: `crf`, a dense conditional random field
        that draws edges where the image has them.
    :raises CardError: if ids, names or colours repeat, or the task is not one of those allowed.
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
        _choice('task', self.task, Task)
        _choice('snap', self.snap, Snap)
        _choice('refine', self.refine, Refine)
        _choice('scores', self.scores, ScoreKind)
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
        """Id of a pixel without a class: 255, or 65535 where an id needs 16 bits."""
        return 255 if max(item.id for item in self.classes) <= 254 else 65535

    @cached_property
    def id_of_channel(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """Class ids by channel, uint8 or uint16 as `unlabelled` needs."""
        ids = [item.id for item in self.classes]
        return np.array(ids, np.uint8 if self.unlabelled == 255 else np.uint16)

    @cached_property
    def by_id(self) -> Mapping[int, ClassInfo]:
        """Classes by the id that masks carry."""
        return {item.id: item for item in self.classes}

    def ids_with_role(self, role: str) -> frozenset[int]:
        """Ids of all classes that carry `role`."""
        return frozenset(item.id for item in self.classes if role in item.roles)

    def channels_named(self, names: Sequence[str]) -> frozenset[int]:
        """
        Channel numbers of the classes called `names`.

        :raises CardError: naming those that the card lacks.
        """
        channels = {item.name: channel for channel, item in enumerate(self.classes)}
        unknown = [name for name in names if name not in channels]
        if unknown:
            alike = get_close_matches(unknown[0], channels, 1)
            raise CardError(
                f'classes {shown(unknown)} are not in the card of {self.name}',
                f'some of {few(channels)}',
                f'is {alike[0]} meant?' if alike else '',
            )
        return frozenset(channels[name] for name in names)

    def with_input_size(self, size_hw: tuple[int, int]) -> 'ModelCard':
        """Return the same card for another network size."""
        return replace(self, input=replace(self.input, size=size_hw))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that YAML and JSON can carry and `card_reading` reads back."""
        return asdict(self)


def distinct_colors(count: int, taken: Sequence[Color] = ()) -> list[Color]:
    """
    Return `count` bright colours, all different from each other and from those `taken`.

    Hues step by the golden ratio, so that neighbours in the list look unlike.
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
