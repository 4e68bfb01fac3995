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

"""Classes change when the new one outweighs the held one, against a sum of weights."""

from dataclasses import replace

import numpy as np
import pytest
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.temporal.smoothing import Smoother

SIZE_HW = (24, 32)


def masks_of(classes, confidence=255, instances=0, segments=(), unlabelled=255):
    """Make a segmentation from maps, or from one value for all pixels."""
    kind = np.uint8 if unlabelled == 255 else np.uint16
    classes = np.broadcast_to(np.asarray(classes, kind), SIZE_HW).copy()
    confidence = np.where(classes == unlabelled, 0, confidence).astype(np.uint8)
    instances = np.broadcast_to(np.asarray(instances, np.uint16), SIZE_HW).copy()
    return Segmentation(SIZE_HW, unlabelled, classes, confidence, instances, segments)


def late(inertia):
    """Count the images that still show the old class after a change."""
    smoother = Smoother()
    for _ in range(30):
        smoother.smooth(masks_of(1), inertia)
    for images in range(60):
        if smoother.smooth(masks_of(2), inertia).classes[0, 0] == 2:
            return images
    return None


@pytest.mark.parametrize('part', ['classes', 'confidence', 'instances'])
def test_masks_that_lack_a_map_pass_through_untouched(part):
    masks = replace(masks_of(1), **{part: None})
    assert Smoother().smooth(masks, 0.5) is masks


def test_every_pixel_follows_its_own_sum_of_weights():
    random, smoother = np.random.RandomState(0), Smoother()
    held = hold = None
    for _ in range(40):
        classes = random.choice([3, 7, 255], SIZE_HW)
        masks = masks_of(classes, random.randint(0, 256, SIZE_HW))
        weight = np.where(classes == 255, 128, masks.confidence).astype(float)
        if held is None:
            held, hold = classes.copy(), weight
        else:
            change = np.where(classes == held, hold + weight, hold - weight) / 2
            held = np.where(np.rint(change) < 0, classes, held)
            hold = np.abs(np.rint(change))
        smooth = smoother.smooth(masks, 0.5)
        np.testing.assert_array_equal(smooth.classes, held)
        np.testing.assert_array_equal(smooth.confidence, np.where(held == 255, 0, hold))
        smooth.verify()


@pytest.mark.parametrize(('inertia', 'images'), [(0.5, 1), (0.7, 1), (0.8, 3), (0.9, 6)])
def test_a_lasting_change_shows_as_late_as_is_said(inertia, images):
    assert late(inertia) == images


def test_a_class_that_shows_for_one_image_is_left_out():
    smoother = Smoother()
    for _ in range(5):
        smoother.smooth(masks_of(1, 200), 0.8)
    assert (smoother.smooth(masks_of(2, 255), 0.8).classes == 1).all()
    assert (smoother.smooth(masks_of(1, 200), 0.8).classes == 1).all()


def test_noise_flickers_less():
    random, smoother = np.random.RandomState(1), Smoother()
    changes, smooth_changes, before = [], [], None
    for _ in range(30):
        wrong = random.uniform(size=SIZE_HW) < 0.1
        classes = np.where(wrong, 9, 4)
        smooth = smoother.smooth(masks_of(classes, np.where(wrong, 120, 200)), 0.7).classes
        if before:
            changes.append((classes != before[0]).mean())
            smooth_changes.append((smooth != before[1]).mean())
        before = classes, smooth
    assert np.mean(smooth_changes) < np.mean(changes) / 10


def test_instances_show_their_own_class_and_leave_no_trail():
    smoother, mask = Smoother(), np.zeros(SIZE_HW, np.uint16)
    mask[4:10, 5:15] = 1
    segment = Segment(1, 6, 0.8, (5, 4, 15, 10), 60)
    for _ in range(3):
        smoother.smooth(masks_of(2), 0.9)
    for _ in range(5):
        seen = smoother.smooth(masks_of(np.where(mask, 6, 2), 204, mask, (segment,)), 0.9)
        seen.verify()
        np.testing.assert_array_equal(seen.classes, np.where(mask, 6, 2))
    assert (smoother.smooth(masks_of(2), 0.9).classes == 2).all()


def test_a_background_that_an_instance_hid_from_the_first_is_shown_at_once():
    smoother, mask = Smoother(), np.ones(SIZE_HW, np.uint16)
    segment = Segment(1, 6, 0.8, (0, 0, SIZE_HW[1], SIZE_HW[0]), mask.size)
    smoother.smooth(masks_of(6, 204, mask, (segment,)), 0.9)
    assert (smoother.smooth(masks_of(2, 30), 0.9).classes == 2).all()


@pytest.mark.parametrize('unlabelled', [255, 65535])
def test_unlabelled_pixels_have_no_confidence(unlabelled):
    smoother = Smoother()
    smoother.smooth(masks_of(1, 60, unlabelled=unlabelled), 0.5)
    empty = smoother.smooth(masks_of(unlabelled, unlabelled=unlabelled), 0.5)
    assert (empty.classes == unlabelled).all()
    assert not empty.confidence.any()


def test_nothing_is_kept_over_forgetting_or_another_size():
    smoother = Smoother()
    smoother.smooth(masks_of(1), 0.9)
    smoother.reset()
    assert (smoother.smooth(masks_of(2), 0.9).classes == 2).all()
    small = Segmentation(
        (2, 2), 255, np.full((2, 2), 5, np.uint8), np.full((2, 2), 9, np.uint8),
        np.zeros((2, 2), np.uint16),
    )
    assert (smoother.smooth(small, 0.9).classes == 5).all()


def test_masks_without_all_their_maps_stay_as_they_are():
    masks = Segmentation(SIZE_HW, classes=np.zeros(SIZE_HW, np.uint8))
    assert Smoother().smooth(masks, 0.5) is masks


def test_what_was_published_does_not_change_later():
    smoother = Smoother()
    first = smoother.smooth(masks_of(1, 10), 0.5)
    kept = first.classes.copy(), first.confidence.copy()
    smoother.smooth(masks_of(2), 0.5)
    np.testing.assert_array_equal(first.classes, kept[0])
    np.testing.assert_array_equal(first.confidence, kept[1])


def test_a_class_that_is_held_with_less_than_the_least_confidence_does_not_show():
    random, plain, strict = np.random.RandomState(2), Smoother(), Smoother()
    hidden = 0
    for _ in range(20):
        masks = masks_of(random.choice([3, 7, 255], SIZE_HW), random.randint(100, 256, SIZE_HW))
        whole, sure = plain.smooth(masks, 0.7), strict.smooth(masks, 0.7, 100)
        gone = whole.confidence < 100
        hidden += int((gone & (whole.classes != 255)).sum())
        np.testing.assert_array_equal(sure.classes, np.where(gone, 255, whole.classes))
        np.testing.assert_array_equal(sure.confidence, np.where(gone, 0, whole.confidence))
    assert hidden
