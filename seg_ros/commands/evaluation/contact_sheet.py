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

"""A table of images with ground truth and masks: the worst ones, or random ones."""

import heapq
from itertools import count
from typing import Literal, TypeAlias

import cv2
import numpy as np
from seg_ros.commands.evaluation.ground_truth import Example, Truth
from seg_ros.core.card import ModelCard
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.segmentation import Segmentation
from seg_ros.masks.captions import Caption, write_captions
from seg_ros.masks.overlay import draw_overlay, rgb_from_frame
from seg_ros.metrics.scores import LiveScores

Choice: TypeAlias = Literal['worst', 'random']
WIDTH = 480
ALPHA = 0.6
_PLATE = (40, 40, 40)


class ContactSheet:
    """
    Rows of the worst images, or of random ones.

    :param card: of the scored classes.
    :param found_card: the same classes, with the network's task; see `LiveScores`.
    :param rows: number of rows to keep.
    :param choice: images of the lowest quality, or random images.
    """

    def __init__(
        self, card: ModelCard, found_card: ModelCard, rows: int, choice: Choice
    ) -> None:
        self._card, self._found_card = card, found_card
        self._rows = rows
        self._random = np.random.default_rng(0) if choice == 'random' else None
        self._number = count()
        self._kept: list[tuple[float, int, Pixels]] = []

    def add(self, example: Example, frame: Frame, truth: Truth, found: Segmentation) -> None:
        """Add an image, unless it ranks below all rows of a full table."""
        quality = self._quality(truth, found)
        rank = -quality if self._random is None else float(self._random.random())
        is_full = len(self._kept) == self._rows
        if is_full and rank <= self._kept[0][0]:
            return
        row = self._row(f'{example.name}  {quality:.2f}', frame, truth, found)
        heapq.heappush(self._kept, (rank, next(self._number), row))
        if is_full:
            heapq.heappop(self._kept)

    def image(self) -> Pixels:
        """Return the stacked rows, the worst first: rgb uint8 (H, W, 3)."""
        rows = [row for _, _, row in sorted(self._kept, reverse=True)]
        return np.concatenate(rows)

    def _quality(self, truth: Truth, found: Segmentation) -> float:
        """Return panoptic quality, or mean IoU if the ground truth is semantic."""
        scores = LiveScores(self._card, self._found_card)
        scores.add(truth.segmentation, found, truth.crowd)
        figures = scores.figures()
        return figures.get('pq', figures['miou']) or 0.0

    def _row(self, caption: str, frame: Frame, truth: Truth, found: Segmentation) -> Pixels:
        masks = {'truth': truth.segmentation, 'found': found}
        drawn = {caption: rgb_from_frame(frame)} | {
            name: draw_overlay(frame, item, self._card, ALPHA) for name, item in masks.items()
        }
        return np.concatenate([_cell(cell, name) for name, cell in drawn.items()], axis=1)


def _cell(drawn: Pixels, caption: str) -> Pixels:
    height = round(drawn.shape[0] * WIDTH / drawn.shape[1])
    cell = np.asarray(cv2.resize(drawn, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)
    write_captions(cell, [Caption(caption, _PLATE, ((WIDTH / 2, height - 2, 1.0),))])
    return cell
