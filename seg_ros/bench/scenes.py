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

"""Raw outputs of networks for a busy image, as input to post-processing."""

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Answers: TypeAlias = dict[str, NDArray[np.float32]]

SEMANTIC_CLASSES, SEMANTIC_HW, SEMANTIC_INPUT_HW = 19, (128, 256), (512, 1024)
YOLO_CLASSES, YOLO_COEFFICIENTS, YOLO_HW, YOLO_ANCHORS = 80, 32, (640, 640), 8400
COPIES = 3    # rows of a YOLO network for one object before suppression


def street_scores() -> Answers:
    """
    Return class scores of a street with ten of 19 classes, as from a network of stride 4.

    :returns: `scores`, float32 (1, 19, 128, 256), smooth along edges and noisy.
    """
    random = np.random.default_rng(0)
    scores = random.normal(0, 0.4, (SEMANTIC_CLASSES, *SEMANTIC_HW)).astype(np.float32)
    for index in range(SEMANTIC_CLASSES):
        present = (street_classes() == index).astype(np.float32)
        scores[index] += 8 * cv2.GaussianBlur(present, (5, 5), 1.0)
    return {'scores': scores[None]}


def street_classes() -> NDArray[np.uint8]:
    """Draw road, pavement, walls, trees, sky, cars, people, poles and signs at stride 4."""
    height, width = SEMANTIC_HW
    classes = np.full(SEMANTIC_HW, 10, np.uint8)
    middle = height // 2
    for number in range(8):
        x = number * width // 8
        top = 20 + 13 * (number * 5 % 4)
        cv2.rectangle(classes, (x, top), (x + width // 8, middle), 2, -1)
        cv2.circle(classes, (x + 9, middle - 6), 7 + number % 4, 8, -1)
    classes[middle:] = 1
    road = np.array([[width // 2, middle], [width // 10, height], [9 * width // 10, height]])
    cv2.fillPoly(classes, [road.astype(np.int32)], 0)
    for number in range(6):
        x, y = 20 + 40 * number, middle + 8 + 7 * (number % 3)
        cv2.rectangle(classes, (x, y), (x + 22, y + 12), 13, -1)
        cv2.ellipse(classes, (x + 32, y + 4), (2, 8), 0, 0, 360, 11, -1)
        cv2.line(classes, (x + 26, middle - 30), (x + 26, middle + 8), 5, 2)
        cv2.rectangle(classes, (x + 23, middle - 34), (x + 29, middle - 28), 7, -1)
    classes[:, :6] = 9
    return classes


def yolo_rows(
    objects: int, source_hw: tuple[int, int] = (720, 1280), classes: int = YOLO_CLASSES
) -> Answers:
    """
    Return the outputs of a YOLO segmentation network for an image with `objects` ellipses.

    Each object is detected by `COPIES` rows; its mask is one prototype cropped by its box.

    :param source_hw: size of the image, which is letterboxed into 640 x 640.
    :param classes: number of classes.
    :returns: `output0`, float32 (1, 36 + classes, 8400), and `output1`, float32
        (1, 32, 160, 160).
    """
    random = np.random.default_rng(objects)
    scale = min(side / own for side, own in zip(YOLO_HW, source_hw, strict=True))
    size_xy = np.array(source_hw[::-1]) * scale
    corner_xy = (np.array(YOLO_HW[::-1]) - size_xy) / 2
    rows = np.zeros((YOLO_ANCHORS, 4 + classes + YOLO_COEFFICIENTS))
    rows[:, :2] = random.uniform(0, YOLO_HW[0], (YOLO_ANCHORS, 2))
    rows[:, 2:4] = random.uniform(8, 64, (YOLO_ANCHORS, 2))
    rows[:, 4:4 + classes] = random.uniform(0, 0.01, (YOLO_ANCHORS, classes))
    protos = np.full((YOLO_COEFFICIENTS, YOLO_HW[0] // 4, YOLO_HW[1] // 4), -1, np.float32)
    spread = min(1.0, np.sqrt(20 / objects))
    sizes = random.uniform(40, 80, (objects, 2)) * spread
    centers = corner_xy + _grid(objects, random) * (size_xy - sizes) + sizes / 2
    places = random.choice(YOLO_ANCHORS, (objects, COPIES), replace=False)
    for index in range(objects):
        place, mask = places[index], index % YOLO_COEFFICIENTS
        rows[place, :2] = centers[index] + sizes[index] * random.normal(0, 0.02, (COPIES, 2))
        rows[place, 2:4] = sizes[index] * random.uniform(0.97, 1.03, (COPIES, 1))
        rows[place, 4 + index % classes] = random.uniform(0.5, 0.95, COPIES)
        rows[place, 4 + classes + mask] = 6
        _draw(protos[mask], centers[index] / 4, sizes[index] / 8)
    for proto in protos:
        cv2.GaussianBlur(proto, (3, 3), 0.8, dst=proto)
    return {'output0': np.ascontiguousarray(rows.T[None], np.float32), 'output1': protos[None]}


def _grid(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return positions in the unit square, x and y, on a grid with random offsets."""
    columns = int(np.ceil(np.sqrt(2 * count)))
    cells = np.stack([np.arange(count) % columns, np.arange(count) // columns], axis=1)
    shape = np.array([columns, -(-count // columns)])
    places: NDArray[np.float64] = (cells + random.uniform(0.35, 0.65, (count, 2))) / shape
    return places


def _draw(proto: NDArray[Any], center_xy: NDArray[Any], radius_xy: NDArray[Any]) -> None:
    center = tuple(round(float(value)) for value in center_xy)
    radius = tuple(max(1, round(float(value))) for value in radius_xy)
    cv2.ellipse(proto, center, radius, 0, 0, 360, 1.0, -1)
