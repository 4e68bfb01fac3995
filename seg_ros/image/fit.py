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

"""Fitting of a camera image to the network's input, and the exact inverse."""

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import InputSpec
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.signature import Upsampling

Xyxy: TypeAlias = tuple[int, int, int, int]

_TO_COLOR = {
    ('rgb', 'bgr'): cv2.COLOR_RGB2BGR,
    ('bgr', 'rgb'): cv2.COLOR_BGR2RGB,
    ('rgb', 'gray'): cv2.COLOR_RGB2GRAY,
    ('bgr', 'gray'): cv2.COLOR_BGR2GRAY,
    ('gray', 'rgb'): cv2.COLOR_GRAY2RGB,
    ('gray', 'bgr'): cv2.COLOR_GRAY2BGR,
}


@dataclass(frozen=True)
class Fit:
    """
    The mapping of one image size to one network size.

    Coordinates are continuous: pixel i spans [i, i + 1), so network = source * scale + offset maps
    edges, and centres after a shift by 0.5.

    :param source_hw: height and width of the image.
    :param network_hw: height and width of the network's input.
    :param resized_hw: height and width of the whole image after the resize, before padding or
        cropping. Scales are computed from it, including rounding, so the inverse is exact.
    :param offset_yx: position of the resized image's corner in the network's input; negative if
        the image is cropped.
    """

    source_hw: tuple[int, int]
    network_hw: tuple[int, int]
    resized_hw: tuple[int, int]
    offset_yx: tuple[int, int]

    @property
    def scale_yx(self) -> tuple[float, float]:
        """Network pixels per source pixel."""
        return (
            self.resized_hw[0] / self.source_hw[0],
            self.resized_hw[1] / self.source_hw[1],
        )

    def source_xyxy(self, xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map boxes (…, 4) from network to source pixels; they may extend beyond the image."""
        scale = np.array(self.scale_yx[::-1] * 2, np.float32)
        return (xyxy - np.array(self.offset_yx[::-1] * 2, np.float32)) / scale

    def network_xyxy(self, xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map boxes (…, 4) from source to network pixels."""
        scale = np.array(self.scale_yx[::-1] * 2, np.float32)
        return xyxy * scale + np.array(self.offset_yx[::-1] * 2, np.float32)

    @property
    def seen_xyxy(self) -> Xyxy:
        """
        Return x0, y0, x1, y1 of the source pixels whose centres the network sees.

        These are all of them unless the fit crops, as `shortest_side` does.
        """
        (y0, y1), (x0, x1) = self._seen_span(0), self._seen_span(1)
        return x0, y0, x1, y1

    def _seen_span(self, axis: int) -> tuple[int, int]:
        scale, offset = self.scale_yx[axis], self.offset_yx[axis]
        first = np.ceil(max(0.0, -offset / scale - 0.5))
        last = (self.network_hw[axis] - offset) / scale - 0.5
        return int(first), min(self.source_hw[axis], int(np.floor(last)) + 1)

    def clear_unseen(self, image: NDArray[Any], value: int = 0) -> None:
        """Set what the network does not see of a map of the source's size (H, W)."""
        x0, y0, x1, y1 = self.seen_xyxy
        image[:y0] = value
        image[y1:] = value
        image[:, :x0] = value
        image[:, x1:] = value

    def grid(
        self, size_hw: tuple[int, ...], axis: int, rule: Upsampling = 'half_pixel'
    ) -> tuple[float, float]:
        """
        Return a, b such that the centre of source pixel i is at a * i + b in a smaller map.

        :param size_hw: size of a map that spans the network's input; its first centre is at 0.
        :param axis: 0 for rows, 1 for columns.
        :param rule: how the map's pixels are aligned with the network's, as the coordinate
            transformation mode of ONNX Resize.
        """
        slope = self.scale_yx[axis]
        start = 0.5 * slope + self.offset_yx[axis] - 0.5
        size, network = size_hw[axis], self.network_hw[axis]
        if rule == 'align_corners':
            ratio = (size - 1) / max(1, network - 1)
            return slope * ratio, start * ratio
        ratio = size / network
        shift = 0.5 * ratio - 0.5 if rule == 'half_pixel' else 0.0
        return slope * ratio, start * ratio + shift


@lru_cache(maxsize=64)
def fit_for(source_hw: tuple[int, int], network_hw: tuple[int, int], spec: InputSpec) -> Fit:
    """
    Return the fit that a card specifies.

    `letterbox` rounds like YOLOv5 and ultralytics: sides to the nearest pixel, and an odd pixel of
    padding goes to the bottom or the right.
    """
    height, width = source_hw
    if spec.fit == 'stretch':
        return Fit(source_hw, network_hw, network_hw, (0, 0))
    ratios = (network_hw[0] / height, network_hw[1] / width)
    ratio = min(ratios) if spec.fit == 'letterbox' else max(ratios)
    resized = (max(1, round(height * ratio)), max(1, round(width * ratio)))
    spare = (network_hw[0] - resized[0], network_hw[1] - resized[1])
    offset = (spare[0] // 2, spare[1] // 2) if spec.align == 'center' else (0, 0)
    return Fit(source_hw, network_hw, resized, offset)


def fit_image(frame: Frame, fit: Fit, spec: InputSpec, out: Pixels) -> None:
    """
    Resize, pad or crop, and reorder the colours of one image.

    Colours are reordered at the smaller of the two sizes.

    :param out: uint8 (h, w, channels) of the network's size; it is overwritten.
    """
    top, left = fit.offset_yx
    height, width = fit.network_hw
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(height, top + fit.resized_hw[0]), min(width, left + fit.resized_hw[1])
    out[:y0] = spec.pad
    out[y1:] = spec.pad
    out[y0:y1, :x0] = spec.pad
    out[y0:y1, x1:] = spec.pad
    place = out[y0:y1, x0:x1]
    # Without cropping, the last step writes directly into `out`.
    resized = _resized_and_colored(
        frame, fit, spec, place if place.shape[:2] == fit.resized_hw else None
    )
    if resized is not place:
        inside = resized[max(0, -top):height - top, max(0, -left):width - left]
        place[:] = inside.reshape(place.shape)


def _resized_and_colored(frame: Frame, fit: Fit, spec: InputSpec, out: Pixels | None) -> Pixels:
    """
    Return the whole image at its new size, in the network's colour order.

    :param out: buffer of that size for the result; it is not used if there is nothing to do.
    """
    resizes, colors = fit.resized_hw != fit.source_hw, frame.color != spec.color
    size, code = fit.resized_hw[::-1], _TO_COLOR.get((frame.color, spec.color), -1)
    shrinks = fit.resized_hw[0] < fit.source_hw[0]
    rule = cv2.INTER_AREA if spec.resample == 'area' and shrinks else cv2.INTER_LINEAR
    result: Any = frame.pixels
    if colors and resizes and prod(fit.source_hw) < prod(fit.resized_hw):
        return np.asarray(cv2.resize(cv2.cvtColor(result, code), size, out, interpolation=rule))
    if resizes:
        result = cv2.resize(result, size, None if colors else out, interpolation=rule)
    if colors:
        result = cv2.cvtColor(result, code, out)
    return np.asarray(result)
