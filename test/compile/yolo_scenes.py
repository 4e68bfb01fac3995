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

"""Raw outputs of YOLO segmentation networks, and what frameworks make of them."""

import numpy as np
from plain_nms import plain_nms
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from tiny_networks import make_card, network_of_answers, saved

SIZE_HW = (64, 96)
MASKS, MASK_HW = 4, (16, 24)


def anchors(strides=(8, 16, 32)):
    return sum((SIZE_HW[0] // stride) * (SIZE_HW[1] // stride) for stride in strides)


def random_rows(random, count, classes, objectness):
    """Make rows of cx, cy, w, h, perhaps objectness, classes, coefficients around few objects."""
    objects = random.uniform(10, 60, (6, 2)), random.uniform(8, 30, (6, 2))
    which = random.integers(0, 6, count)
    center, size = objects[0][which], objects[1][which] * random.uniform(0.8, 1.2, (count, 2))
    scores = random.uniform(0, 0.04, (count, classes))
    chosen = random.choice(count, count // 3, replace=False)
    scores[chosen, which[chosen] % classes] = random.uniform(0.02, 1, len(chosen))
    parts = [center + random.normal(0, 2, (count, 2)), size]
    parts += [random.uniform(0.3, 1, (count, 1))] if objectness else []
    parts += [scores, random.normal(0, 1, (count, MASKS))]
    return np.concatenate(parts, axis=1).astype(np.float32)


def random_end_to_end(random, count, classes):
    corner = random.uniform(0, 50, (count, 2))
    parts = [
        corner, corner + random.uniform(5, 40, (count, 2)),
        np.sort(random.uniform(0, 1, (count, 1)), axis=0)[::-1],
        random.integers(0, classes, (count, 1)), random.normal(0, 1, (count, MASKS)),
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def scene(form, classes, answers=3, strides=(8, 16, 32), kind=np.float32):
    """Make the raw outputs of a network for `answers` images."""
    random = np.random.default_rng(len(form) + classes)
    protos = random.normal(0, 2, (answers, MASKS, *MASK_HW))
    if form == 'end-to-end':
        rows = [random_end_to_end(random, 40, classes) for _ in range(answers)]
    else:
        count = anchors(strides) * (3 if form == 'v5' else 1)
        rows = [random_rows(random, count, classes, form == 'v5') for _ in range(answers)]
    rows = np.stack(rows)
    output0 = rows.transpose(0, 2, 1) if form == 'v8' else rows
    return {'output0': output0.astype(kind), 'output1': protos.astype(kind)}


def plain_detections(form, classes, rows, protos, iou, floor=0.05, top_k=1000, slots=100):
    """Decode one image as the frameworks do, with loops and plain numpy."""
    rows = rows.T if form == 'v8' else rows
    rows = rows.astype(np.float32)
    first = {'v5': 5, 'v8': 4, 'end-to-end': 4}[form]
    if form == 'end-to-end':
        scores, winners, boxes = rows[:, 4], rows[:, 5], rows[:, :4]
    else:
        each = rows[:, first:first + classes] * (rows[:, 4:5] if form == 'v5' else 1)
        scores, winners = each.max(1), each.argmax(1)
        boxes = np.concatenate(
            [rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], axis=1
        )
    found = boxes, scores, winners, rows[:, -MASKS:]
    return plain_choice(*found, protos, iou, floor, top_k, slots, form == 'v5')


def plain_choice(
    boxes, scores, winners, coefficients, protos, iou=0.7, floor=0.05, top_k=1000, slots=100,
    probability=False,
):
    """Suppress and mix the masks of one image; an `iou` of 0 suppresses nothing."""
    order = np.argsort(-scores, kind='stable')[:top_k]
    order = order[scores[order] >= floor]
    if iou:
        order = order[plain_nms(boxes[order], winners[order], iou)]
    order = order[:slots]
    logits = np.einsum('kp,phw->khw', coefficients[order], protos.astype(np.float32))
    masks = 255 / (1 + np.exp(-logits)) if probability else np.clip(128 + 16 * logits, 0, 255)
    return boxes[order], scores[order], winners[order], masks


def raw_head(classes, answers=3, depth=6):
    """
    Make what the last convolutions of YOLOv8 give: maps by stride, and prototypes.

    :returns: {stride: (sides, class scores, coefficients)}, prototypes.
    """
    random = np.random.default_rng(classes)
    maps = {}
    for stride in (8, 16, 32):
        shape = SIZE_HW[0] // stride, SIZE_HW[1] // stride
        scores = random.normal(-6, 1, (answers, classes, *shape))
        scores[:, :, random.random(shape) < 0.3] += 5
        near = -0.05 * stride * np.tile(np.arange(16), 4)[:, None, None]
        parts = (
            random.normal(0, 1.5, (answers, 64, *shape)) + near, scores,
            random.normal(0, 1, (answers, depth, *shape)),
        )
        maps[stride] = tuple(part.astype(np.float32) for part in parts)
    return maps, random.normal(0, 2, (answers, depth, *MASK_HW)).astype(np.float32)


def plain_anchors(maps):
    """Return boxes (answers, A, 4), probabilities and coefficients of all anchors."""
    boxes, *others = [], [], []
    for stride, (sides, scores, coefficients) in maps.items():
        count, _, height, width = sides.shape
        powers = np.exp(sides.reshape(count, 4, 16, height, width).astype(np.float64))
        mean = np.einsum('nsbhw,b->nshw', powers / powers.sum(2, keepdims=True), np.arange(16))
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        left, top, right, bottom = mean.transpose(1, 0, 2, 3)
        boxes.append(stride * np.stack([x - left, y - top, x + right, y + bottom], axis=1))
        others[0].append(1 / (1 + np.exp(-scores)))
        others[1].append(coefficients)
    return [
        np.concatenate([part.reshape(*part.shape[:2], -1) for part in parts], axis=2)
        .transpose(0, 2, 1).astype(np.float32)
        for parts in (boxes, *others)
    ]


def plain_answer(maps, protos, answer, iou=0.7):
    """Return what YOLOv8's own post-processing makes of one answer."""
    boxes, scores, coefficients = (part[answer] for part in plain_anchors(maps))
    return plain_choice(
        boxes, scores.max(1), scores.argmax(1), coefficients, protos[answer], iou
    )


def compiled_scene(folder, answers, classes, card=None, **options):
    card = card or make_card(classes, 'instance')
    kind = next(array.dtype for array in answers.values() if array.dtype.kind == 'f')
    path = saved(network_of_answers(answers, SIZE_HW, kind=kind), folder)
    return compiled_from_model(compile_model(path, card, **options), path.name)


def assert_same(outputs, index, expected, slots=100):
    boxes, scores, winners, masks = expected
    count = len(scores)
    assert count > 3
    assert outputs['scores'].shape[1] == slots
    np.testing.assert_allclose(outputs['scores'][index, :count], scores, rtol=1e-5)
    np.testing.assert_allclose(outputs['boxes'][index, :count], boxes, atol=1e-3)
    np.testing.assert_array_equal(outputs['classes'][index, :count], winners)
    # Half a level for the rounding and a little for the order of the sums.
    np.testing.assert_allclose(outputs['masks'][index, :count], masks, atol=0.51)
    for name in ('scores', 'boxes', 'classes'):
        assert not outputs[name][index, count:].any()
