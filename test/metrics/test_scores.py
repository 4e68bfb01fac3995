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

"""Scores that grow image by image, on masks whose scores follow from counting."""

from dataclasses import replace

import numpy as np
import pytest
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import ContractError
from seg_ros.core.segmentation import Segmentation
from seg_ros.masks.from_maps import segmentation_from_maps
from seg_ros.metrics.boundary import boundary_f, outline
from seg_ros.metrics.scores import LiveScores, Scores

CARD = card_from_dict({'name': 'x', 'task': 'panoptic', 'classes': [
    {'id': 3, 'name': 'floor'}, {'id': 8, 'name': 'cup', 'thing': True},
]})
SEMANTIC = replace(CARD, task='semantic')


def image(*boxes, void_rows=0):
    """Return cups at x0, y0, x1, y1 on a floor of 40 by 60 pixels."""
    classes, instances = np.full((40, 60), 3, np.uint8), np.zeros((40, 60), np.uint16)
    for number, (x0, y0, x1, y1) in enumerate(boxes, 1):
        classes[y0:y1, x0:x1], instances[y0:y1, x0:x1] = 8, number
    classes[:void_rows], instances[:void_rows] = 255, 0
    return segmentation_from_maps(classes, instances, CARD)


def test_perfect_masks_score_one():
    scores = LiveScores(CARD)
    for boxes in ([(0, 0, 10, 10)], [(5, 5, 20, 30), (20, 5, 40, 30)]):
        scores.add(image(*boxes), image(*boxes))
    figures = scores.figures()
    for name in ('miou', 'accuracy', 'pq', 'sq', 'rq', 'pq_things', 'pq_stuff', 'object_recall',
                 'object_precision', 'object_recall_under_400'):
        assert figures[name] == 1
    assert figures['object_count_under_400'] == 2
    assert figures['object_count_400_to_2500'] == 1


def test_a_half_found_and_a_missed_cup_score_as_counted_by_hand():
    truth = image((0, 0, 10, 10), (30, 0, 40, 10))
    found = image((0, 0, 10, 8))
    scores = LiveScores(CARD)
    scores.add(truth, found)
    figures = scores.figures()
    floor = (2400 - 200) / (2400 - 80)
    assert figures['pq_things'] == pytest.approx(0.8 / 1.5)
    assert figures['pq_stuff'] == pytest.approx(floor)
    assert figures['miou'] == pytest.approx((80 / 200 + floor) / 2)
    assert figures['object_recall'] == 0.5


def test_figures_at_any_moment_are_those_of_all_images_so_far():
    running, pairs = LiveScores(CARD), []
    for shift in range(4):
        pairs.append((image((0, 0, 10, 10)), image((shift, 0, 10 + shift, 10))))
        running.add(*pairs[-1])
        anew = LiveScores(CARD)
        for pair in pairs:
            anew.add(*pair)
        assert anew.figures() == running.figures()
    assert 0.5 < running.figures()['pq'] < 1


def test_a_semantic_network_finds_all_cups_as_one_segment():
    truth = image((0, 0, 10, 10), (10, 0, 13, 10))
    found = Segmentation((40, 60), 255, truth.classes, None, np.zeros((40, 60), np.uint16))
    as_semantic, as_panoptic = LiveScores(CARD, SEMANTIC), LiveScores(CARD)
    for scores in (as_semantic, as_panoptic):
        scores.add(truth, found)
    assert as_semantic.figures()['pq_things'] == pytest.approx((100 / 130) / 1.5)
    assert as_panoptic.figures()['pq_things'] == 0
    assert as_semantic.figures()['miou'] == 1


def test_truths_without_instances_are_scored_by_class_alone():
    scores = Scores(SEMANTIC)
    truth = image((0, 0, 10, 10), void_rows=5)
    found = image((0, 0, 10, 10))
    scores.add(truth, found)
    figures, per_class = scores.evaluate()
    assert figures == {'miou': 1, 'miou_present': 1, 'accuracy': 1, 'boundary_f': 1}
    assert per_class == {3: {'iou': 1, 'boundary_f': 1}, 8: {'iou': 1, 'boundary_f': 1}}


def test_pixels_without_a_class_are_missed_and_never_right():
    truth = image()
    classes = np.full((40, 60), 255, np.uint8)
    classes[:10] = 3
    found = Segmentation((40, 60), 255, classes, None, np.zeros((40, 60), np.uint16))
    scores = LiveScores(CARD)
    scores.add(truth, found)
    assert scores.figures()['miou'] == pytest.approx(0.25)
    assert scores.figures()['pq'] == 0


def test_masks_of_another_size_are_refused():
    other = segmentation_from_maps(np.full((4, 6), 3, np.uint8), np.zeros((4, 6), np.uint16), CARD)
    with pytest.raises(ContractError, match=r'\(4, 6\)'):
        LiveScores(CARD).add(image(), other)


def test_masks_without_classes_are_refused():
    with pytest.raises(ContractError, match='without classes'):
        LiveScores(CARD).add(image(), Segmentation((40, 60)))


def test_an_outline_is_one_pixel_wide_and_leaves_the_images_border_out():
    mask = np.zeros((6, 7), bool)
    mask[2:6, 0:3] = True
    assert outline(mask).tolist() == [
        [0, 0, 0, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0],
    ]


def test_edges_count_as_right_within_the_tolerance_only():
    def bar(x):
        mask = np.zeros((300, 400), bool)
        mask[:, x:] = True
        return mask

    assert boundary_f(bar(100), bar(104)) == 1    # 0.008 of 500 pixels
    assert boundary_f(bar(100), bar(105)) == 0
    assert boundary_f(bar(100), bar(400)) == 0


def test_a_truth_lists_its_instances():
    truth = image((0, 0, 10, 10), (30, 20, 40, 39))
    truth.verify()
    assert [(item.id, item.class_id, item.xyxy, item.area) for item in truth.segments] == [
        (1, 8, (0, 0, 10, 10), 100), (2, 8, (30, 20, 40, 39), 190)
    ]


def test_recall_of_a_class_counts_instances_found_with_that_class():
    classes, instances = np.full((40, 60), 3, np.uint8), np.zeros((40, 60), np.uint16)
    classes[:30, :30], instances[:30, :30] = 8, 1
    classes[:10, 40:50], instances[:10, 40:50] = 8, 2
    truth = segmentation_from_maps(classes, instances, CARD)
    scores = LiveScores(CARD)
    scores.add(truth, image((0, 0, 30, 29)))
    row = scores.per_class()[8]
    assert (row['recall_from_400'], row['count_from_400']) == (1, 1)
    assert (row['recall_under_400'], row['count_under_400']) == (0, 1)
    assert 'recall_over_2500' not in row
    assert 'recall_from_400' not in scores.per_class()[3]


def test_confusion_says_what_true_pixels_were_taken_for():
    scores = LiveScores(CARD)
    scores.add(image((0, 0, 10, 10), void_rows=2), image((0, 0, 5, 10)))
    fractions = scores.confusion.fractions()
    assert fractions[8] == [0.5, 0.5, 0]
    assert fractions[3] == [1, 0, 0]


def test_a_class_that_was_only_found_lowers_the_mean_over_all_and_not_over_those_present():
    scores = LiveScores(CARD)
    scores.add(image(), image((0, 0, 12, 10)))
    figures = scores.figures()
    assert figures['miou_present'] == pytest.approx(0.95)
    assert figures['miou'] == pytest.approx(0.475)
