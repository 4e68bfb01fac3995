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

"""Average precision of instance masks, by COCO's reference implementation."""

from collections.abc import Mapping
from contextlib import redirect_stdout
import io
from typing import Any

import numpy as np
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import SegError
from seg_ros.core.segmentation import Segmentation


class MaskAp:
    """
    Average precision over any number of images.

    :param card: the classes to score; countable ones (things) have instances.
    :raises SegError: if pycocotools is not installed.
    """

    def __init__(self, card: ModelCard) -> None:
        try:
            from pycocotools import mask
        except ImportError as error:
            raise SegError(
                f'average precision needs pycocotools ({error})', do="pip install 'seg_ros[eval]'"
            ) from error
        self._encode = mask.encode
        self._things = [item for item in card.classes if item.thing]
        self._images: list[dict[str, int]] = []
        self._ground_truth: list[dict[str, Any]] = []
        self._found: list[dict[str, Any]] = []

    def add(
        self, ground_truth: Segmentation, found: Segmentation, crowd: frozenset[int] = frozenset()
    ) -> None:
        """
        Add the masks of one image.

        :param crowd: ids of ground truth segments that are groups (COCO's `iscrowd`).
        """
        number, (height, width) = len(self._images) + 1, ground_truth.size_hw
        self._images.append({'id': number, 'height': height, 'width': width})
        for rows, segmentation in (
            (self._ground_truth, ground_truth), (self._found, found),
        ):
            for segment in segmentation.segments:
                mask = np.asfortranarray(segmentation.instances == segment.id, np.uint8)
                rows.append({
                    'id': len(rows) + 1, 'image_id': number,
                    'category_id': segment.class_id, 'segmentation': self._encode(mask),
                    'area': segment.area, 'score': segment.score, 'bbox': _xywh(segment.xyxy),
                    'iscrowd': int(segmentation is ground_truth and segment.id in crowd),
                })

    def evaluate(self) -> tuple[dict[str, float | None], dict[int, float]]:
        """Return the mean `ap` and `ap50` over the classes that occur, and `ap` by class id."""
        if not self._ground_truth or not self._found:
            value = 0.0 if self._ground_truth else None
            return {'ap': value, 'ap50': value}, {}
        precision = self._precision()
        per_class = {
            item.id: float(values[values > -1].mean())
            for item, values in zip(self._things, precision.transpose(2, 0, 1), strict=True)
            if (values > -1).any()
        }
        known, half = precision[precision > -1], precision[0][precision[0] > -1]
        figures = {
            'ap': float(known.mean()) if known.size else None,
            'ap50': float(half.mean()) if half.size else None,
        }
        return figures, per_class

    def _precision(self) -> 'np.ndarray[Any, Any]':
        """Return precision by IoU threshold, recall and class; -1 for absent classes."""
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        with redirect_stdout(io.StringIO()):
            ground_truth, found = COCO(), COCO()
            for coco, rows in ((ground_truth, self._ground_truth), (found, self._found)):
                coco.dataset = self._dataset(rows)
                coco.createIndex()
            evaluation = COCOeval(ground_truth, found, 'segm')
            evaluation.evaluate()
            evaluation.accumulate()
        precision: Mapping[str, Any] = evaluation.eval
        return np.asarray(precision['precision'][:, :, :, 0, -1])

    def _dataset(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            'images': self._images,
            'categories': [{'id': item.id, 'name': item.name} for item in self._things],
            'annotations': rows,
        }


def _xywh(xyxy: tuple[int, int, int, int]) -> list[int]:
    x0, y0, x1, y1 = xyxy
    return [x0, y0, x1 - x0, y1 - y0]
