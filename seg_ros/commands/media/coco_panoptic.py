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
The COCO panoptic format: segment ids encoded as colours of a PNG, and a JSON table of segments.

Reference: cocodataset.org, "Data format", 4. Panoptic segmentation.
"""

from contextlib import suppress
import json
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.commands.media.source_image import SourceImage
from seg_ros.commands.output_file import write_file
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.core.segmentation import Segmentation
from seg_ros.image.file_writing import encode_png
from seg_ros.image.id_colors import rgb_from_ids
from seg_ros.masks.panoptic_ids import FIRST_STUFF, panoptic_ids


class CocoPanoptic:
    """A sink of masks: `panoptic/NAME.png` for each image, and `panoptic.json` at the end."""

    def __init__(self, folder: Path, card: ModelCard) -> None:
        self._folder = folder
        self._card = card
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def __enter__(self) -> 'CocoPanoptic':
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # An earlier error is reported instead of this one.
        with suppress(*((SettingError,) if error else ())):
            if self._images:
                write_file(self._folder / 'panoptic.json', json.dumps(self._table()).encode())

    def write(self, name: str, image: SourceImage, segmentation: Segmentation) -> None:
        """
        Write the PNG of one image, and add it to the table.

        :raises SettingError: if it cannot be written.
        """
        ids = panoptic_ids(segmentation, self._card)
        write_file(self._folder / 'panoptic' / f'{name}.png', encode_png(rgb_from_ids(ids)))
        height, width = segmentation.size_hw
        number = len(self._images) + 1
        self._images.append({
            'id': number, 'file_name': image.source, 'height': height, 'width': width,
        })
        self._annotations.append({
            'image_id': number, 'file_name': f'{name}.png',
            'segments_info': segments_info(ids, segmentation),
        })

    def _table(self) -> dict[str, Any]:
        categories = [
            {
                'id': item.id, 'name': item.name, 'isthing': int(item.thing),
                'color': list(item.color),
            }
            for item in self._card.classes
        ]
        return {
            'images': self._images, 'annotations': self._annotations, 'categories': categories,
        }


def segments_info(
    ids: NDArray[np.uint32], segmentation: Segmentation
) -> list[dict[str, Any]]:
    """
    List the segments of a panoptic map, each of one class.

    The score of a segment without an instance is the mean confidence of its pixels.
    """
    things = [
        _row(item.id, item.class_id, item.score, item.xyxy, item.area)
        for item in segmentation.segments
    ]
    present = np.flatnonzero(np.bincount(ids.ravel()))
    return things + [
        _stuff_row(number, ids == number, segmentation.confidence)
        for number in present[present >= FIRST_STUFF].tolist()
    ]


def _stuff_row(
    number: int, mask: NDArray[np.bool_], confidence: NDArray[np.uint8] | None
) -> dict[str, Any]:
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    score = 1.0 if confidence is None else float(confidence[mask].mean()) / 255
    xyxy = (x, y, x + width, y + height)
    return _row(number, number - FIRST_STUFF, score, xyxy, int(np.count_nonzero(mask)))


def _row(
    number: int, class_id: int, score: float, xyxy: tuple[int, int, int, int], area: int
) -> dict[str, Any]:
    x0, y0, x1, y1 = xyxy
    return {
        'id': number, 'category_id': class_id, 'score': round(score, 4),
        'bbox': [x0, y0, x1 - x0, y1 - y0], 'area': area, 'iscrowd': 0,
    }
