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

"""The overlay: masks in colour over the image, with outlines and captions."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import Color, ModelCard
from seg_ros.core.errors import ImageError
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.segmentation import ClassMap, marked, Segment, Segmentation
from seg_ros.masks.captions import Caption, letter_height, Spot, write_captions

_NONE = 128  # the tint that leaves a colour unchanged


def color_map(classes: ClassMap, card: ModelCard) -> Pixels:
    """
    Colour every pixel exactly as the card says.

    :param classes: uint8 or uint16 (H, W), card ids.
    :returns: uint8 (H, W, 3), rgb; `unlabelled_color` where there is no class of the card.
    """
    return _looked_up(classes, _palette(card))


def draw_overlay(
    frame: Frame, segmentation: Segmentation, card: ModelCard, alpha: float
) -> Pixels:
    """
    Lay the masks over the image.

    Pixels without a class, or of one whose role is `ignore`, stay as they are. Instances are
    tinted by id, so that neighbours of one class differ and an id that stays keeps its colour.
    Instances carry name, id and score; classes without instances their name.

    :param segmentation: masks of `frame`, with classes; instances are drawn where there are any.
    :param alpha: opacity of the colours, 0 to 1; outlines and captions are always opaque.
    :returns: uint8 (H, W, 3), rgb; it is the caller's own.
    :raises ImageError: if the image has another size than the masks.
    :raises ContractError: if the classes were not requested.
    """
    classes, instances = segmentation.part('classes'), segmentation.instances
    if segmentation.size_hw != frame.size_hw:
        seen, expected = (f'{hw[1]}x{hw[0]}' for hw in (frame.size_hw, segmentation.size_hw))
        raise ImageError(f'an image of {seen}', f'{expected}, the size of the masks')
    colors = color_map(classes, card)
    untouched = marked(classes, {card.unlabelled, *card.ids_with_role('ignore')})
    if instances is None:
        drawn = _blended(rgb_from_frame(frame), colors, untouched, alpha)
        write_captions(drawn, _class_captions(classes, untouched, card))
        return drawn
    colors = _tinted(colors, instances)
    drawn = _blended(rgb_from_frame(frame), colors, untouched, alpha)
    cv2.copyTo(_brightened(colors), _outlines(instances), drawn)
    named = _instance_captions(instances, segmentation.segments, card)
    rest = _class_captions(classes, untouched | (instances > 0), card)
    write_captions(drawn, chain(named, rest))
    return drawn


def _looked_up(ids: ClassMap, palette: Pixels) -> Pixels:
    """
    Colour a map by a palette.

    Four bytes a colour make one word, which is gathered at once: twice as fast as OpenCV's own
    colour maps, and the same for ids of 8 and 16 bits.

    :param palette: uint8 (256 or 65536, 4), of which the last byte is left out.
    """
    words = palette.view(np.uint32)[:, 0].take(ids, mode='clip')
    pixels = words.view(np.uint8).reshape(*ids.shape, 4)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB), np.uint8)


@lru_cache(maxsize=8)
def _palette(card: ModelCard) -> Pixels:
    """Return colours by class id, as `_looked_up` takes them."""
    palette = np.zeros((card.unlabelled + 1, 4), np.uint8)
    palette[:, :3] = card.unlabelled_color
    for item in card.classes:
        palette[item.id, :3] = item.color
    return palette


@lru_cache(maxsize=1)
def _tints() -> Pixels:
    """
    Return the tint that is added to an instance's class colour, by the low byte of its id.

    Brightness steps by the golden ratio and hue by its square, so that ids which follow each
    other look unlike. What has no instance keeps its colour.

    :returns: uint8 (256, 4), as `_looked_up` takes them, `_NONE` where nothing is added.
    """
    turns = np.arange(256)[:, None] * 0.61803398875
    hue = 48 * np.cos(2 * np.pi * (turns * 0.61803398875 + np.arange(4) / 3))
    brightness = 60 * (turns % 1) - 36
    shifts = hue + brightness
    shifts[0] = 0
    return np.asarray(np.round(_NONE + shifts), np.uint8)


def _tinted(colors: Pixels, instances: NDArray[np.uint16]) -> Pixels:
    """Tint in place."""
    shifts = _looked_up(instances.astype(np.uint8), _tints())
    return np.asarray(cv2.addWeighted(colors, 1, shifts, 1, -_NONE, colors), np.uint8)


def _tinted_color(color: Color, number: int) -> Color:
    shifts = _tints()[number & 255, :3].tolist()
    red, green, blue = (
        min(255, max(0, level + shift - _NONE))
        for level, shift in zip(color, shifts, strict=True)
    )
    return red, green, blue


def _blended(
    image: Pixels, colors: Pixels, untouched: NDArray[np.bool_], alpha: float
) -> Pixels:
    drawn = np.asarray(cv2.addWeighted(image, 1 - alpha, colors, alpha, 0), np.uint8)
    cv2.copyTo(image, untouched.view(np.uint8), drawn)
    return drawn


def rgb_from_frame(frame: Frame) -> Pixels:
    """Return an image's pixels as rgb, uint8 (H, W, 3); they may be the frame's own."""
    if frame.color == 'rgb':
        return frame.pixels
    rule = cv2.COLOR_BGR2RGB if frame.color == 'bgr' else cv2.COLOR_GRAY2RGB
    return np.asarray(cv2.cvtColor(frame.pixels, rule), np.uint8)


def _brightened(colors: Pixels) -> Pixels:
    """Brighten in place."""
    return np.asarray(cv2.convertScaleAbs(colors, colors, 0.5, 127), np.uint8)


def _outlines(instances: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Mark the pixels of an instance that lie beside another one or beside none."""
    reach = 3 if len(instances) < 600 else 5
    change = cv2.morphologyEx(instances, cv2.MORPH_GRADIENT, np.ones((reach, reach), np.uint8))
    return np.logical_and(change, instances).view(np.uint8)


def _instance_captions(
    instances: NDArray[np.uint16], segments: Sequence[Segment], card: ModelCard
) -> Iterator[Caption]:
    """Name instances above their topmost pixels or, where that is taken, in their middle."""
    for segment in segments:
        item = card.by_id[segment.class_id]
        yield Caption(
            f'{item.name} {segment.id} {100 * segment.score:.0f}%',
            _tinted_color(item.color, segment.id), _instance_spots(instances, segment),
        )


def _instance_spots(instances: NDArray[np.uint16], segment: Segment) -> Iterator[Spot]:
    x0, y0, x1, y1 = segment.xyxy
    inside = instances[y0:y1, x0:x1]
    yield x0 + float((inside[0] == segment.id).nonzero()[0].mean()), y0, 1.0
    step = _grid_step(inside)
    x, y, _ = _widest_spot(inside[::step, ::step] == segment.id)
    yield x0 + step * x, y0 + step * y, 0.5


def _class_captions(
    classes: ClassMap, taken: NDArray[np.bool_], card: ModelCard
) -> Iterator[Caption]:
    """Name each class once, in the middle of its widest part, if that has room for a word."""
    step = _grid_step(classes)
    grid, free = classes[::step, ::step], ~taken[::step, ::step]
    for number in np.unique(grid[free]).tolist():
        x, y, radius = _widest_spot((grid == number) & free)
        if step * radius > letter_height(len(classes)) and number in card.by_id:
            item = card.by_id[number]
            yield Caption(item.name, item.color, ((step * x, step * y, 0.5),))


def _grid_step(ids: NDArray[Any]) -> int:
    """Return the spacing of a grid that is fine enough to find room for a word."""
    height, width = ids.shape
    return int(max(1, height // 96, width // 96))


def _widest_spot(mask: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return x, y and radius of about the largest circle that fits into a mask."""
    framed = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), np.uint8)
    framed[1:-1, 1:-1] = mask
    _, radius, _, (x, y) = cv2.minMaxLoc(cv2.distanceTransform(framed, cv2.DIST_L2, 3))
    return x - 0.5, y - 0.5, radius
