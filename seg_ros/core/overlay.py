"""What people look at: the masks in colour over the picture, outlined and named."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import Color, ModelCard
from seg_ros.core.errors import ContractError
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.segmentation import ClassMap, Segmentation

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_DARK, _LIGHT = (16, 16, 16), (255, 255, 255)
_ONE = 160  # the byte in the table of tints that leaves a colour as it is


def color_map(classes: ClassMap, card: ModelCard) -> Pixels:
    """
    Colour every pixel exactly as the card says.

    :param classes: uint8 or uint16 (H, W), card ids.
    :returns: uint8 (H, W, 3), rgb; black where there is no class of the card.
    """
    palette = _palette(card)
    if classes.dtype == np.uint8 and len(palette) == 256:
        return np.asarray(cv2.applyColorMap(classes, palette), np.uint8)
    return palette[:, 0].take(classes, axis=0)


def draw_overlay(
    frame: Frame, segmentation: Segmentation, card: ModelCard, alpha: float
) -> Pixels:
    """
    Lay the masks over the picture; pixels without a class stay as they are.

    Instances are tinted by id, so that neighbours of one class differ and an id that stays keeps
    its colour. Instances carry name, id and score; classes without instances their name.

    :param segmentation: of `frame`, with classes; instances are drawn where there are any.
    :param alpha: opacity of the colours, 0 to 1; outlines and labels are always opaque.
    :returns: uint8 (H, W, 3), rgb; it is the caller's own.
    :raises ContractError: if the classes were not asked for or the sizes differ.
    """
    classes, instances = segmentation.classes, segmentation.instances
    if classes is None or segmentation.size_hw != frame.size_hw:
        raise ContractError(
            f'an overlay of {"no classes" if classes is None else segmentation.size_hw}',
            f'classes of shape {frame.size_hw}',
        )
    colors = color_map(classes, card)
    if instances is not None:
        tints = cv2.applyColorMap(instances.astype(np.uint8), _tints())
        colors = np.asarray(cv2.multiply(colors, tints, scale=1 / _ONE), np.uint8)
    picture = _rgb(frame)
    drawn = np.asarray(cv2.addWeighted(picture, 1 - alpha, colors, alpha, 0), np.uint8)
    cv2.copyTo(picture, cv2.compare(classes, segmentation.unlabelled, cv2.CMP_EQ), drawn)
    if instances is not None:
        cv2.copyTo(_brightened(colors), _outlines(instances), drawn)
    _write_labels(drawn, _labels(segmentation, card))
    return drawn


@lru_cache(maxsize=8)
def _palette(card: ModelCard) -> Pixels:
    """Colours by class id, uint8 (256 or 65536, 1, 3)."""
    palette = np.zeros((card.unlabelled + 1, 1, 3), np.uint8)
    for item in card.classes:
        palette[item.id] = item.color
    return palette


@lru_cache(maxsize=1)
def _tints() -> Pixels:
    """
    Factors for instances by the low byte of their id, uint8 (256, 1, 3), `_ONE` meaning 1.

    Brightness steps by the golden ratio and the hue leans by its square, so that ids which follow
    each other look unlike; what has no instance keeps its colour.
    """
    step = np.arange(256)[:, None] * 0.61803398875
    brightness = 0.62 + 0.6 * (step % 1)
    lean = 0.16 * np.cos(2 * np.pi * (step * 0.61803398875 + np.arange(3) / 3))
    factors = brightness + lean
    factors[0] = 1
    return np.round(_ONE * factors).astype(np.uint8)[:, None]


def _rgb(frame: Frame) -> Pixels:
    rules = {'bgr': cv2.COLOR_BGR2RGB, 'gray': cv2.COLOR_GRAY2RGB}
    if frame.color == 'rgb':
        return frame.pixels
    return np.asarray(cv2.cvtColor(frame.pixels, rules[frame.color]), np.uint8)


def _brightened(colors: Pixels) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(colors, alpha=0.5, beta=127), np.uint8)


def _outlines(instances: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Mark the pixels inside an instance that lie beside another one or beside none."""
    reach = 3 if len(instances) < 900 else 5
    edges = cv2.morphologyEx(instances, cv2.MORPH_GRADIENT, np.ones((reach, reach), np.uint8))
    return np.asarray(cv2.compare(cv2.min(edges, instances), 0, cv2.CMP_GT), np.uint8)


@dataclass(frozen=True)
class _Label:
    """
    A name on a plate.

    :param spots_xy: where the plate's upper left corner may lie if its size is taken off by the
        fractions `pull_xy`; the first that is free is taken.
    """

    text: str
    color: Color
    spots_xy: tuple[tuple[float, float], ...]
    pull_xy: tuple[float, float]
