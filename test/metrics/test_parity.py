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

"""Agreement of masks is what counting pixel by pixel says."""

import numpy as np
import pytest
from seg_ros.core.errors import ContractError
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.metrics.parity import Parity


def segmentation(classes, instances=None, class_ids=()):
    classes = np.array(classes, np.uint8)
    instances = np.zeros_like(classes) if instances is None else np.array(instances)
    segments = []
    for number, class_id in enumerate(class_ids, start=1):
        mask = instances == number
        segments.append(Segment(number, class_id, 0.9, (0, 0, 1, 1), int(mask.sum())))
    return Segmentation(
        classes.shape, 255, classes, None, instances.astype(np.uint16), tuple(segments)
    )


def compared(*pairs):
    parity = Parity()
    for reference, tried in pairs:
        parity.add(reference, tried)
    return parity.figures()


def test_pixels_and_mean_iou_are_over_all_images():
    rng = np.random.default_rng(0)
    pairs, first, second = [], [], []
    for _ in range(3):
        reference = rng.choice([0, 2, 7, 255], (20, 30))
        tried = np.where(rng.random((20, 30)) < 0.3, rng.choice([0, 2, 9], (20, 30)), reference)
        pairs.append((segmentation(reference), segmentation(tried)))
        first.append(reference)
        second.append(tried)
    first, second = np.stack(first), np.stack(second)
    figures = compared(*pairs)
    ious = [
        ((first == k) & (second == k)).sum() / ((first == k) | (second == k)).sum()
        for k in (0, 2, 7)
    ]
    assert figures.images == 3
    assert figures.pixels == pytest.approx((first == second).mean())
    assert figures.miou == pytest.approx(np.mean(ious))


def test_equal_masks_agree_wholly():
    one = segmentation([[1, 1, 255]], [[1, 1, 0]], [1])
    figures = compared((one, one))
    assert (figures.pixels, figures.miou, figures.matched, figures.mask_iou) == (1, 1, 1, 1)
    assert (figures.instances, figures.false_positives) == (1, 0)


def test_instances_match_by_class_and_more_than_half_of_their_union():
    reference = segmentation(
        [[4] * 6, [4] * 6, [5] * 6], [[1] * 6, [2] * 6, [3] * 6], [4, 4, 5]
    )
    tried = segmentation(
        [[4] * 6, [4] * 6, [4] * 6],
        [[1, 1, 1, 1, 0, 0], [2, 2, 2, 0, 0, 0], [3] * 6], [4, 4, 4],
    )
    figures = compared((reference, tried))
    # The first overlaps by two thirds, the second by just one half, the third is another class.
    assert figures.matched == pytest.approx(1 / 3)
    assert figures.false_positives == pytest.approx(2 / 3)
    assert figures.mask_iou == pytest.approx(4 / 6)


def test_nothing_to_compare_is_full_agreement():
    figures = compared()
    assert (figures.images, figures.pixels, figures.miou, figures.matched) == (0, 1, 1, 1)


def test_masks_of_other_sizes_or_without_a_map_are_refused():
    with pytest.raises(ContractError, match='the size'):
        compared((segmentation([[1, 2]]), segmentation([[1]])))
    with pytest.raises(ContractError, match='without classes'):
        compared((segmentation([[1]]), Segmentation((1, 1), 255)))
