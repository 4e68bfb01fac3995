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

"""The masks of one image, as one type with consistent parts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ContractError

ClassMap: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
MapName: TypeAlias = Literal['classes', 'confidence', 'instances']
Part: TypeAlias = MapName | Literal['segments']

MAX_ID = 65535      # of a segment, in the instance map


def marked(classes: ClassMap, ids: Collection[int]) -> NDArray[np.bool_]:
    """
    Mark the pixels of some classes.

    :param ids: class ids of the card, or its `unlabelled`.
    """
    table = np.zeros(np.iinfo(classes.dtype).max + 1, bool)
    table[list(ids)] = True
    if classes.dtype == np.uint8:   # ten times as fast as numpy, which widens the indexes
        return np.asarray(cv2.LUT(classes, table.view(np.uint8))).view(bool)
    return np.asarray(table.take(classes))


@dataclass(frozen=True)
class Segment:
    """
    One instance.

    :param id: value in the instance map, 1 to 65535.
    :param class_id: class id of the card.
    :param score: 0 to 1.
    :param xyxy: bounding box x0, y0, x1, y1 of its visible pixels, continuous edges.
    :param area: number of visible pixels.
    """

    id: int
    class_id: int
    score: float
    xyxy: tuple[int, int, int, int]
    area: int


@dataclass(frozen=True, eq=False)
class Segmentation:
    """
    The masks of an image, at the image's size. Parts that were not requested are None.

    :param size_hw: height and width of the source image.
    :param unlabelled: id of pixels without a class, 255 or 65535.
    :param classes: uint8 or uint16 (H, W), class ids; uint16 if `unlabelled` is 65535.
    :param confidence: uint8 (H, W), 255 = certain, 0 where `classes` is unlabelled.
    :param instances: uint16 (H, W), segment ids, 0 = none.
    :param segments: exactly the instances in `instances`, best first.
    :raises ContractError: if shapes, types or ids are inconsistent.
    """

    size_hw: tuple[int, int]
    unlabelled: int = 255
    classes: ClassMap | None = None
    confidence: NDArray[np.uint8] | None = None
    instances: NDArray[np.uint16] | None = None
    segments: tuple[Segment, ...] = ()

    def __post_init__(self) -> None:
        kinds: Mapping[str, type] = {
            'classes': np.uint8 if self.unlabelled == 255 else np.uint16,
            'confidence': np.uint8,
            'instances': np.uint16,
        }
        for name, kind in kinds.items():
            array: NDArray[Any] | None = getattr(self, name)
            if array is not None and (array.shape != self.size_hw or array.dtype != kind):
                raise ContractError(
                    f'{name} of type {array.dtype} and shape {array.shape}',
                    f'{kind.__name__} of shape {self.size_hw}',
                )
        ids = [segment.id for segment in self.segments]
        if len(set(ids)) != len(ids) or not all(0 < number <= MAX_ID for number in ids):
            raise ContractError(f'segment ids {ids}', f'different numbers from 1 to {MAX_ID}')

    def part(self, name: MapName) -> NDArray[Any]:
        """
        Return the map called `name`.

        :raises ContractError: if it was not requested.
        """
        array: NDArray[Any] | None = getattr(self, name)
        if array is None:
            raise ContractError(f'masks without {name}', f'{name} too')
        return array

    def panoptic(self) -> NDArray[np.int32]:
        """
        Merge both maps: class << 16 | instance, and unlabelled << 16 without a class.

        :returns: int32 (H, W); the upper 16 bits are `classes`, the lower 16 bits `instances`
            (65535 << 16 reads as -65536).
        :raises ContractError: if either map was not requested.
        """
        merged = self.part('classes').astype(np.uint32)
        merged <<= 16
        merged |= self.part('instances')
        return merged.view(np.int32)

    def verify(self) -> None:
        """
        Check the parts' consistency pixel by pixel, which is too slow for the constructor.

        :raises ContractError: with the first inconsistency.
        """
        if self.instances is not None:
            ids, areas = np.unique(self.instances[self.instances > 0], return_counts=True)
            shown = dict(zip(ids.tolist(), areas.tolist(), strict=True))
            listed = {segment.id: segment.area for segment in self.segments}
            if shown != listed:
                raise ContractError(f'instances of areas {shown}', f'those of the table {listed}')
            for segment in self.segments:
                self._verify_segment(segment, self.instances == segment.id)
        if self.classes is None or self.confidence is None:
            return
        if self.confidence[self.classes == self.unlabelled].any():
            raise ContractError('confidence where there is no class', '0 there')

    def _verify_segment(self, segment: Segment, mask: NDArray[np.bool_]) -> None:
        rows, columns = np.nonzero(mask)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        if tuple(map(int, box)) != segment.xyxy:
            raise ContractError(f'segment {segment.id} spans {box}', f'its box {segment.xyxy}')
        if self.classes is not None and (self.classes[mask] != segment.class_id).any():
            raise ContractError(
                f'segment {segment.id} covers other classes', f'class {segment.class_id} only'
            )
