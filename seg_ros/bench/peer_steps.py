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
Other nodes' processing from image to id map, written from their descriptions.

Each is a function of the image (uint8, rgb) and of the raw outputs of a YOLO segmentation
network; the network itself does not run. Ultralytics' own processing is used if it is installed.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.bench.scenes import Answers, YOLO_CLASSES, YOLO_HW

Steps: TypeAlias = Callable[[NDArray[np.uint8], Answers], NDArray[Any]]

SCORE, IOU = 0.25, 0.7


def peers() -> dict[str, Steps]:
    """Return the processing of all nodes that can run on this machine, by name."""
    found: dict[str, Steps] = {'plain node': plain_node}
    if find_spec('ultralytics') and find_spec('torch'):
        found['ultralytics'] = ultralytics_predict
        found['yolo_ros'] = yolo_ros
    return found


def plain_node(image: NDArray[np.uint8], answers: Answers) -> NDArray[np.uint16]:
    """
    Process like a simple onnxruntime node: floats, numpy, every mask enlarged to the image.

    :returns: ids, 0 where there is no object.
    """
    height, width = image.shape[:2]
    scale, corner_xy = _letterbox_of(image)
    _float_input(image, scale, corner_xy)
    rows = answers['output0'][0].T
    scores = rows[:, 4:4 + YOLO_CLASSES]
    best = scores.max(axis=1)
    rows, best, classes = (part[best > SCORE] for part in (rows, best, scores.argmax(axis=1)))
    corners = rows[:, :2] - rows[:, 2:4] / 2 + 4096 * classes[:, None]
    boxes = np.concatenate([corners, rows[:, 2:4]], axis=1)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), best.tolist(), SCORE, IOU)
    protos = answers['output1'][0]
    masks = rows[kept, -len(protos):] @ protos.reshape(len(protos), -1)
    soft = 1 / (1 + np.exp(-masks.reshape(-1, *protos.shape[1:])))
    ids = np.zeros((height, width), np.uint16)
    for number, (mask, row) in enumerate(zip(soft, rows[kept], strict=True), 1):
        whole = cv2.resize(mask, YOLO_HW[::-1])
        left, top = corner_xy
        inner = whole[top:YOLO_HW[0] - top, left:YOLO_HW[1] - left]
        full = cv2.resize(inner, (width, height)) > 0.5
        x0, y0 = (row[:2] - row[2:4] / 2 - corner_xy) / scale
        x1, y1 = (row[:2] + row[2:4] / 2 - corner_xy) / scale
        box = np.zeros_like(full)
        box[max(0, int(y0)):int(y1) + 1, max(0, int(x0)):int(x1) + 1] = True
        ids[full & box & (ids == 0)] = number
    return ids


def _letterbox_of(image: NDArray[np.uint8]) -> tuple[float, tuple[int, int]]:
    """Return the scale and the left and top border of an image letterboxed to the network."""
    height, width = image.shape[:2]
    scale = min(YOLO_HW[0] / height, YOLO_HW[1] / width)
    left, top = (round((side - scale * own) / 2)
                 for side, own in zip(YOLO_HW[::-1], (width, height), strict=True))
    return scale, (left, top)


def _float_input(
    image: NDArray[np.uint8], scale: float, corner_xy: tuple[int, int]
) -> NDArray[np.float32]:
    left, top = corner_xy
    small = cv2.resize(image, None, fx=scale, fy=scale)
    boxed = cv2.copyMakeBorder(
        small, top, YOLO_HW[0] - top - len(small), left, YOLO_HW[1] - left - small.shape[1],
        cv2.BORDER_CONSTANT, value=(114, 114, 114),
    )
    planes: NDArray[np.float32] = boxed.transpose(2, 0, 1)[None].astype(np.float32) / 255
    return np.ascontiguousarray(planes)


def ultralytics_predict(image: NDArray[np.uint8], answers: Answers) -> NDArray[np.uint16]:
    """Run the package's own letterbox, suppression and scaling of masks to the image's size."""
    torch, ops = _parts('torch', 'ultralytics.utils.ops')
    masks = _ultralytics(image, answers)
    height, width = image.shape[:2]
    scaled = ops.scale_masks(masks[None].float(), (height, width))[0]
    ids = torch.zeros((height, width), dtype=torch.int32)
    for number in range(len(scaled), 0, -1):
        ids[scaled[number - 1] > 0.5] = number
    return np.asarray(ids, np.uint16)


def yolo_ros(image: NDArray[np.uint8], answers: Answers) -> NDArray[np.uint16]:
    """
    Extract the contours of every mask as yolo_ros does, and fill them as its readers have to.

    :returns: ids, 0 where there is no object.
    """
    (ops,) = _parts('ultralytics.utils.ops')
    masks = _ultralytics(image, answers)
    height, width = image.shape[:2]
    ids = np.zeros((height, width), np.uint16)
    segments = ops.masks2segments(masks)
    for number in range(len(segments), 0, -1):
        outline = ops.scale_coords(YOLO_HW, segments[number - 1], (height, width))
        cv2.fillPoly(ids, [np.round(outline).astype(np.int32)], number)
    return ids


def _ultralytics(image: NDArray[np.uint8], answers: Answers) -> Any:
    torch, augment, nms, ops = _parts(
        'torch', 'ultralytics.data.augment', 'ultralytics.utils.nms', 'ultralytics.utils.ops'
    )
    boxed = augment.LetterBox(YOLO_HW, auto=False)(image=image)
    torch.from_numpy(np.ascontiguousarray(boxed.transpose(2, 0, 1)[None])).float().div_(255)
    rows, protos = (torch.from_numpy(answers[name]) for name in ('output0', 'output1'))
    kept = nms.non_max_suppression(rows.clone(), SCORE, IOU, nc=YOLO_CLASSES)[0]
    return ops.process_mask(protos[0], kept[:, 6:], kept[:, :4], YOLO_HW, upsample=True)


def _parts(*names: str) -> list[Any]:
    return [import_module(name) for name in names]
