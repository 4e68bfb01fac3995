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

"""Instances are cut as a plain 64-bit evaluation of every pixel cuts them."""

import cv2
import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, InputSpec, ModelCard
from seg_ros.core.errors import ContractError
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.core.thresholds import Thresholds
from seg_ros.image.fit import fit_for
from seg_ros.masks.instance_masks import instance_masks_from_outputs
from seg_ros.masks.postprocess_context import PostprocessContext

NETWORK = (96, 128)
CARD = ModelCard('x', 'instance', tuple(
    ClassInfo(index, f'class {index}', (index, 0, 0), True) for index in range(5)
))
LEVELS = 3  # what a soft mask may be off: a rounding and a weight of 1/256 along each axis
CASES = [
    ((97, 131), 'stretch'), ((240, 320), 'letterbox'), ((300, 170), 'letterbox'),
    ((180, 320), 'shortest_side'), ((211, 150), 'shortest_side'), ((20, 31), 'letterbox'),
]


def make_thresholds(score=0.25, mask_level=127.5, visible=0.5, channels=range(5)):
    return Thresholds(score, mask_level, visible, 0, frozenset(channels))


def make_signature(frame='image', code='probability'):
    tensors = ('boxes', 'scores', 'classes', 'masks')
    return ModelSignature(NETWORK, tensors, mask_frame=frame, mask_code=code)


def found_instances(outputs, fit, signature, thresholds):
    return instance_masks_from_outputs(
        outputs, PostprocessContext(fit, signature, CARD, thresholds)
    )


def make_outputs(boxes, masks, scores=None, classes=None):
    """Fill in scores that fall from 0.9 and a class 0 for every slot."""
    count = len(boxes)
    return Outputs(
        boxes=np.asarray(boxes, np.float32),
        masks=np.asarray(masks, np.uint8),
        scores=np.asarray(np.linspace(0.9, 0.3, count) if scores is None else scores, np.float32),
        classes=np.asarray(np.zeros(count) if classes is None else classes, np.int32),
    )


def random_scene(count, mask_hw, seed, spread=(-0.1, 1.1)):
    """Make smooth masks with holes under boxes that may reach beyond the network's input."""
    rng = np.random.default_rng(seed)
    span = np.array(NETWORK[::-1] * 2)
    corners = np.sort(rng.uniform(*spread, (count, 2, 2)), axis=1).reshape(count, 4)
    coarse = rng.normal(0.3, 1, (count, 5, 5))
    soft = [cv2.resize(item, mask_hw[::-1], interpolation=cv2.INTER_CUBIC) for item in coarse]
    masks = np.clip(128 + 90 * np.stack(soft), 0, 255).astype(np.uint8)
    return make_outputs(
        corners * span, masks, rng.uniform(0.1, 1, count), rng.integers(0, 5, count)
    )


def sampled(mask, rows, columns, outside):
    """Interpolate at real positions; beyond the mask its edge is repeated, or it is 0."""
    weights = []
    for place, size in zip((rows, columns), mask.shape, strict=True):
        place = np.clip(place, 0, size - 1) if outside == 'edge' else place
        weights.append(np.maximum(0, 1 - abs(place[:, None] - np.arange(size))))
    return weights[0] @ mask.astype(np.float64) @ weights[1].T


def soft_masks(outputs, fit, frame):
    """Evaluate each mask at every source pixel's centre, with the pixels of its box."""
    height, width = fit.source_hw
    scale_y, scale_x = (fit.resized_hw[axis] / fit.source_hw[axis] for axis in (0, 1))
    top, left = fit.offset_yx
    centre_y, centre_x = np.arange(height) + 0.5, np.arange(width) + 0.5
    for box, mask in zip(outputs.boxes.astype(np.float64), outputs.masks, strict=True):
        x0, y0, x1, y1 = (box - [left, top, left, top]) / [scale_x, scale_y, scale_x, scale_y]
        if frame == 'image':
            rows = (centre_y * scale_y + top) * mask.shape[0] / NETWORK[0] - 0.5
            columns = (centre_x * scale_x + left) * mask.shape[1] / NETWORK[1] - 0.5
        else:
            rows = (centre_y - y0) / (y1 - y0) * mask.shape[0] - 0.5
            columns = (centre_x - x0) / (x1 - x0) * mask.shape[1] - 0.5
        y, x = np.arange(height), np.arange(width)
        in_box = np.logical_and.outer((y0 <= y) & (y < y1), (x0 <= x) & (x < x1))
        yield sampled(mask, rows, columns, 'edge' if frame == 'image' else 'zero'), in_box


def painted(instance_masks, size_hw):
    """Write the patches into one map, 1 for the first; none may touch another."""
    image = np.zeros(size_hw, np.int64)
    for number, instance in enumerate(instance_masks, 1):
        x0, y0, x1, y1 = instance.xyxy
        window = image[y0:y1, x0:x1]
        assert instance.mask.shape == window.shape
        assert not window[instance.mask].any()
        assert instance.area == instance.mask.sum()
        assert instance.mask.any(axis=0)[[0, -1]].all()
        assert instance.mask.any(axis=1)[[0, -1]].all()
        instance.write(image, number)
    return image


@pytest.mark.parametrize('mask_hw', [(24, 32), (28, 28), (1, 1), (96, 128)])
@pytest.mark.parametrize('frame', ['image', 'box'])
@pytest.mark.parametrize(('source', 'rule'), CASES)
def test_one_mask_covers_the_pixels_where_it_is_above_its_level(source, rule, frame, mask_hw):
    fit = fit_for(source, NETWORK, InputSpec(fit=rule))
    x0, y0, x1, y1 = fit.seen_xyxy
    seen = np.zeros(source, bool)
    seen[y0:y1, x0:x1] = True
    scene = random_scene(8, mask_hw, seed=mask_hw[1])
    covered = 0
    for slot, (soft, in_box) in enumerate(soft_masks(scene, fit, frame)):
        alone = make_outputs(scene.boxes[slot:slot + 1], scene.masks[slot:slot + 1], classes=[3])
        instance_masks = found_instances(
            alone, fit, make_signature(frame), make_thresholds()
        )
        mask = painted(instance_masks, source) > 0
        expected = (soft > 127.5) & in_box & seen
        assert abs(soft - 127.5)[mask != expected].max(initial=0) <= LEVELS
        assert (mask == expected).mean() > 0.99
        covered += mask.sum()
    assert covered


@pytest.mark.parametrize('frame', ['image', 'box'])
@pytest.mark.parametrize(('source', 'rule'), CASES)
def test_overlapping_masks_fall_to_the_better_score(source, rule, frame):
    fit = fit_for(source, NETWORK, InputSpec(fit=rule))
    x0, y0, x1, y1 = fit.seen_xyxy
    seen = np.zeros(source, bool)
    seen[y0:y1, x0:x1] = True
    scene = random_scene(25, (24, 32), seed=7)
    thresholds = make_thresholds(score=0.3, visible=0.4, channels=(0, 1, 3, 4))
    softs = list(soft_masks(scene, fit, frame))
    owner, doubtful, kept = np.zeros(source, int), np.zeros(source, bool), []
    for slot in sorted(range(25), key=lambda slot: -scene.scores[slot]):
        if scene.scores[slot] < 0.3 or scene.classes[slot] == 2:
            continue
        soft, in_box = softs[slot]
        mask = (soft > 127.5) & in_box & seen
        doubtful |= in_box & (abs(soft - 127.5) <= LEVELS)
        free = mask & (owner == 0)
        if not mask.any() or free.sum() < 0.4 * mask.sum():
            continue
        kept.append(slot)
        owner[free] = len(kept)
    instance_masks = found_instances(scene, fit, make_signature(frame), thresholds)
    assert [instance.score for instance in instance_masks] == [
        float(scene.scores[slot]) for slot in kept
    ]
    assert [instance.channel for instance in instance_masks] == [
        int(scene.classes[slot]) for slot in kept
    ]
    assert 3 < len(kept) < 25
    image = painted(instance_masks, source)
    assert (image == owner)[~doubtful].all()
    assert (image == owner).mean() > 0.98


def boxes_of_ones(boxes, **rest):
    return make_outputs(boxes, np.full((len(boxes), 4, 4), 255), **rest)


def test_a_full_mask_fills_the_pixels_whose_index_lies_in_its_box():
    rng = np.random.default_rng(2)
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    for box in rng.uniform(-20, 140, (60, 4)).round(rng.integers(0, 3)):
        x0, y0, x1, y1 = box
        y, x = np.mgrid[:96, :128]
        expected = (x0 <= x) & (x < x1) & (y0 <= y) & (y < y1)
        instance_masks = found_instances(
            boxes_of_ones([box]), fit, make_signature(), make_thresholds()
        )
        np.testing.assert_array_equal(painted(instance_masks, NETWORK) > 0, expected)
        if not instance_masks:
            continue
        rows, columns = np.nonzero(expected)
        spans = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert instance_masks[0].xyxy == spans


@pytest.mark.parametrize('visible', [0.0, 0.5, 1.0])
def test_a_segment_of_which_too_little_remains_is_dropped(visible):
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    boxes = [(0, 0, 50, 10), (0, 0, 100, 10), (0, 0, 101, 10), (0, 0, 60, 10), (0, 50, 9, 60)]
    instance_masks = found_instances(
        boxes_of_ones(boxes), fit, make_signature(), make_thresholds(visible=visible)
    )
    # Of the second exactly a half is free, of the third a hundredth, of the fourth nothing.
    expected = {0.0: [500, 500, 10, 90], 0.5: [500, 500, 90], 1.0: [500, 90]}[visible]
    assert [instance.area for instance in instance_masks] == expected


def test_a_dropped_segment_covers_nobody():
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    boxes = [(0, 0, 60, 10), (0, 0, 100, 10), (60, 0, 100, 10)]
    instance_masks = found_instances(
        boxes_of_ones(boxes), fit, make_signature(), make_thresholds()
    )
    assert [instance.xyxy for instance in instance_masks] == [(0, 0, 60, 10), (60, 0, 100, 10)]


def test_boxes_are_those_of_the_visible_pixels():
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    boxes = [(20, 0, 40, 40), (0, 10, 40, 30)]
    instance_masks = found_instances(
        boxes_of_ones(boxes), fit, make_signature(), make_thresholds()
    )
    assert [instance.xyxy for instance in instance_masks] == [(20, 0, 40, 40), (0, 10, 20, 30)]


def test_holes_stay_open_and_another_segment_may_fill_them():
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    ring = np.full(NETWORK, 255)
    ring[30:40, 50:70] = 0
    masks = [ring, np.full(NETWORK, 255)]
    boxes = [(40, 20, 80, 50), (50, 30, 70, 40)]
    instance_masks = found_instances(
        make_outputs(boxes, masks), fit, make_signature(), make_thresholds()
    )
    assert [instance.area for instance in instance_masks] == [30 * 40 - 200, 200]
    assert not instance_masks[0].mask[10:20, 10:30].any()


@pytest.mark.parametrize('threshold', [0.2, 0.5, 0.8])
@pytest.mark.parametrize('frame', ['image', 'box'])
def test_both_codes_of_a_mask_cut_at_the_same_probability(frame, threshold):
    fit = fit_for((300, 400), NETWORK, InputSpec(fit='stretch'))
    logits = cv2.resize(
        np.random.default_rng(3).normal(0, 3, (5, 6)), (96, 72), interpolation=cv2.INTER_CUBIC
    )
    probability = 1 / (1 + np.exp(-logits))
    coded = {
        'probability': np.rint(255 * probability),
        'logit16': np.clip(np.rint(128 + 16 * logits), 0, 255),
    }
    box = [(10, 10, 110, 90)]
    for code, values in coded.items():
        signature = make_signature(frame, code)
        thresholds = make_thresholds(mask_level=signature.mask_level(threshold))
        outputs = make_outputs(box, values[None])
        instance_masks = found_instances(outputs, fit, signature, thresholds)
        # The code decides what is interpolated: probabilities or logits.
        exact = Outputs(
            boxes=outputs.boxes, masks=(probability if code == 'probability' else logits)[None]
        )
        (soft, in_box), = soft_masks(exact, fit, frame)
        level = threshold if code == 'probability' else np.log(threshold / (1 - threshold))
        inner = np.zeros_like(in_box)
        inner[35:278, 35:340] = True
        expected = (soft > level) & in_box
        mask = painted(instance_masks, fit.source_hw) > 0
        assert 0.05 < expected[inner].mean() < 0.95
        assert (mask == expected)[inner].mean() > 0.99


def test_slots_come_best_first_and_empty_or_weak_ones_not_at_all():
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    boxes = [(10 * slot, 0, 10 * slot + 5, 5) for slot in range(7)]
    scores = [0.5, 0.0, 0.9, 0.24, 0.25, 0.5, 0.8]
    outputs = boxes_of_ones(boxes, scores=scores, classes=[0, 0, 0, 0, 0, 0, 9])
    instance_masks = found_instances(
        outputs, fit, make_signature(), make_thresholds(score=0.25)
    )
    assert [instance.xyxy[0] for instance in instance_masks] == [20, 0, 50, 40]
    outputs = boxes_of_ones(boxes, scores=np.zeros(7))
    assert found_instances(
        outputs, fit, make_signature(), make_thresholds(score=0.0)
    ) == []


def test_an_image_without_instances_has_no_masks():
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    assert found_instances(Outputs(), fit, make_signature(), make_thresholds()) == []
    nothing = make_outputs(np.zeros((0, 4)), np.zeros((0, 4, 4)))
    assert found_instances(nothing, fit, make_signature(), make_thresholds()) == []


@pytest.mark.parametrize('absent', ['classes', 'boxes', 'masks'])
def test_scores_without_what_they_are_scores_of_are_refused(absent):
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    tensors = boxes_of_ones([(0, 0, 9, 9)]).present()
    del tensors[absent]
    with pytest.raises(ContractError, match=absent):
        found_instances(Outputs(**tensors), fit, make_signature(), make_thresholds())


@pytest.mark.parametrize('frame', ['image', 'box'])
@pytest.mark.parametrize('box', [
    (10, 10, 10, 20), (20, 20, 10, 10), (-50, -50, -10, -10), (130, 5, 190, 9), (3.1, 3, 3.9, 4),
])
def test_a_box_without_a_pixel_is_nothing(box, frame):
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    outputs = boxes_of_ones([box])
    assert found_instances(
        outputs, fit, make_signature(frame), make_thresholds()
    ) == []


def test_a_box_beyond_the_image_keeps_its_mask_in_place():
    """Only the left half of the mask is set, and only the right half of the box is in sight."""
    mask = np.zeros((28, 28))
    mask[:, :14] = 255
    boxes = [(-40, 20, 40, 60), (88, 20, 168, 60)]
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    instance_masks = found_instances(
        make_outputs(boxes, [mask, mask]), fit, make_signature('box'), make_thresholds()
    )
    assert [instance.xyxy for instance in instance_masks] == [(88, 20, 128, 60)]


@pytest.mark.parametrize('frame', ['image', 'box'])
@pytest.mark.parametrize('source', [(1, 1), (2, 3), (9, 40000), (40000, 9)])
def test_tiny_and_huge_images_are_painted(source, frame):
    fit = fit_for(source, NETWORK, InputSpec(fit='stretch'))
    outputs = boxes_of_ones([(-1, -1, 129, 97)])
    instance_masks = found_instances(
        outputs, fit, make_signature(frame), make_thresholds()
    )
    (soft, in_box), = soft_masks(outputs, fit, frame)
    wrong = (painted(instance_masks, source) > 0) != ((soft > 127.5) & in_box)
    assert abs(soft - 127.5)[wrong].max(initial=0) <= LEVELS
    assert wrong.mean() < 0.001


def test_more_than_a_byte_of_instances_keep_their_own_pixels():
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    corners = [(5 * column, 5 * row) for row in range(19) for column in range(25)]
    boxes = [(x, y, x + 4, y + 3) for x, y in corners]
    instance_masks = found_instances(
        boxes_of_ones(boxes), fit, make_signature(), make_thresholds()
    )
    assert len(instance_masks) == 475
    image = np.zeros(NETWORK, np.uint16)
    for number, instance in enumerate(instance_masks, 1):
        instance.write(image, number)
    for number, (x, y) in enumerate(corners, 1):
        assert (image[y:y + 3, x:x + 4] == number).all()


@pytest.mark.parametrize(('count', 'kind'), [(9, np.uint8), (255, np.uint8), (600, np.int32)])
@pytest.mark.parametrize('size', [(24, 32), (97, 130), (1, 5)])
@pytest.mark.parametrize(('source', 'rule'), CASES)
def test_a_map_of_slots_is_enlarged_to_the_nearest(source, rule, size, count, kind):
    rng = np.random.default_rng(count)
    coarse = rng.integers(0, count + 1, (4, 5)).astype(kind)
    slots = coarse[np.ix_(*(np.arange(n) * m // n for n, m in zip(size, (4, 5), strict=True)))]
    slots[rng.random(size) < 0.1] = 0
    scores = rng.uniform(0, 1, count).astype(np.float32)
    classes = rng.integers(0, 5, count).astype(np.int32)
    outputs = Outputs(instances=slots, scores=scores, classes=classes)
    fit = fit_for(source, NETWORK, InputSpec(fit=rule))
    signature = ModelSignature(NETWORK, ('scores', 'classes', 'instances'))
    thresholds = make_thresholds(score=0.2, channels=(0, 1, 2, 3))
    instance_masks = found_instances(outputs, fit, signature, thresholds)

    places = []
    for axis in (0, 1):
        scale = fit.resized_hw[axis] / source[axis]
        centre = (np.arange(source[axis]) + 0.5) * scale + fit.offset_yx[axis]
        places.append(np.clip(centre * size[axis] / NETWORK[axis] - 0.5, 0, size[axis] - 1))
    near = slots[np.ix_(*(np.rint(place).astype(int) for place in places))].astype(int)
    tied = np.logical_or.outer(*(abs(place % 1 - 0.5) < 1e-9 for place in places))
    x0, y0, x1, y1 = fit.seen_xyxy
    inside = np.zeros(source, bool)
    inside[y0:y1, x0:x1] = True
    good = [i for i in np.argsort(-scores) if scores[i] >= 0.2 and classes[i] != 4]
    visible = [i for i in good if ((near == i + 1) & inside).any()]
    image = painted(instance_masks, source)
    expected = np.zeros(source, int)
    for number, slot in enumerate(visible, 1):
        expected[(near == slot + 1) & inside] = number
    if not tied.any():
        np.testing.assert_array_equal(image, expected)
        assert [instance.score for instance in instance_masks] == [
            float(scores[slot]) for slot in visible
        ]
        assert [instance.channel for instance in instance_masks] == [
            int(classes[slot]) for slot in visible
        ]
    else:
        shown = {instance.score: number for number, instance in enumerate(instance_masks, 1)}
        for slot in visible:
            mine = image == shown[float(scores[slot])]
            assert ((near == slot + 1) & inside)[~tied & mine].all()


def test_the_outputs_are_not_written_to():
    scene = random_scene(5, (24, 32), seed=1)
    for array in scene.present().values():
        array.flags.writeable = False
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    for frame in ('image', 'box'):
        assert found_instances(
            scene, fit, make_signature(frame), make_thresholds(visible=0.0)
        )
