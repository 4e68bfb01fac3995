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

"""A segmentation whose parts contradict each other cannot pass."""

from dataclasses import replace

import numpy as np
import pytest
from seg_ros.core.errors import ContractError
from seg_ros.core.segmentation import marked, Segment, Segmentation

SIZE = (6, 8)


@pytest.fixture(params=[255, 65535])
def whole(request):
    """Two segments: a ring with a hole, class 3, and a bar, class 9, on a ground of class 1."""
    unlabelled = request.param
    classes = np.full(SIZE, 1, np.uint8 if unlabelled == 255 else np.uint16)
    instances = np.zeros(SIZE, np.uint16)
    instances[1:4, 1:4] = 7
    instances[2, 2] = 0
    instances[5, 2:7] = 65535
    classes[instances == 7] = 3
    classes[instances == 65535] = 9
    classes[0] = unlabelled
    confidence = np.where(classes == unlabelled, 0, 200).astype(np.uint8)
    segments = (Segment(7, 3, 0.9, (1, 1, 4, 4), 8), Segment(65535, 9, 0.8, (2, 5, 7, 6), 5))
    return Segmentation(SIZE, unlabelled, classes, confidence, instances, segments)


def changed(array, place, value):
    copy = array.copy()
    copy[place] = value
    return copy


def test_parts_that_agree_pass(whole):
    whole.verify()


@pytest.mark.parametrize('absent', ['classes', 'confidence', 'instances'])
def test_parts_that_nobody_asked_for_are_not_missed(whole, absent):
    replace(whole, **{absent: None}).verify()


@pytest.mark.parametrize('name', ['classes', 'confidence', 'instances'])
def test_a_part_is_returned_by_its_name_or_reported_as_absent(whole, name):
    assert whole.part(name) is getattr(whole, name)
    with pytest.raises(ContractError, match=f'^masks without {name}'):
        replace(whole, **{name: None}).part(name)


@pytest.mark.parametrize('name', ['classes', 'confidence', 'instances'])
def test_a_part_of_another_size_or_type_is_refused_by_its_name(whole, name):
    part = getattr(whole, name)
    for bad in (part[:, :-1], part[None], part.astype(np.int32)):
        with pytest.raises(ContractError, match=f'^{name} of type'):
            replace(whole, **{name: bad})


def test_the_width_of_the_classes_follows_from_the_unlabelled_id(whole):
    with pytest.raises(ContractError, match='classes'):
        replace(whole, unlabelled=255 if whole.unlabelled == 65535 else 65535)


@pytest.mark.parametrize('ids', [(1, 1), (0, 1), (1, 65536), (-1, 1)])
def test_segment_ids_are_different_numbers_of_sixteen_bits(whole, ids):
    segments = [
        replace(item, id=number) for item, number in zip(whole.segments, ids, strict=True)
    ]
    with pytest.raises(ContractError, match='segment ids'):
        replace(whole, segments=tuple(segments))


def test_the_panoptic_map_holds_the_class_above_and_the_instance_below(whole):
    merged = whole.panoptic()
    assert merged.dtype == np.int32
    bits = merged.astype(np.int64) & 0xFFFFFFFF
    np.testing.assert_array_equal(bits // 65536, whole.classes)
    np.testing.assert_array_equal(bits % 65536, whole.instances)
    assert merged[0, 0] == (255 << 16 if whole.unlabelled == 255 else -65536)
    assert merged[1, 1] == (3 << 16) + 7


@pytest.mark.parametrize('absent', ['classes', 'instances'])
def test_a_panoptic_map_needs_both_of_its_parts(whole, absent):
    with pytest.raises(ContractError, match=f'without {absent}'):
        replace(whole, **{absent: None}).panoptic()


def test_a_segment_of_another_area_is_caught(whole):
    instances = changed(whole.instances, (2, 1), 0)
    with pytest.raises(ContractError, match='areas'):
        replace(whole, instances=instances).verify()


def test_an_instance_that_the_table_lacks_is_caught(whole):
    with pytest.raises(ContractError, match='areas'):
        replace(whole, segments=whole.segments[:1]).verify()
    with pytest.raises(ContractError, match='areas'):
        replace(whole, instances=changed(whole.instances, (4, 0), 5)).verify()


def test_a_segment_without_a_pixel_is_caught(whole):
    extra = Segment(9, 1, 0.1, (0, 0, 1, 1), 0)
    with pytest.raises(ContractError, match='areas'):
        replace(whole, segments=(*whole.segments, extra)).verify()


@pytest.mark.parametrize('xyxy', [(0, 1, 4, 4), (1, 0, 4, 4), (1, 1, 5, 4), (1, 1, 4, 3)])
def test_a_box_that_is_not_that_of_the_visible_pixels_is_caught(whole, xyxy):
    wrong = replace(whole.segments[0], xyxy=xyxy)
    with pytest.raises(ContractError, match='segment 7 spans'):
        replace(whole, segments=(wrong, whole.segments[1])).verify()


def test_a_segment_over_another_class_is_caught(whole):
    with pytest.raises(ContractError, match='segment 65535 covers other classes'):
        replace(whole, classes=changed(whole.classes, (5, 3), 1)).verify()


def test_confidence_without_a_class_is_caught(whole):
    with pytest.raises(ContractError, match='confidence'):
        replace(whole, confidence=changed(whole.confidence, (0, 5), 1)).verify()


@pytest.mark.parametrize('kind', [np.uint8, np.uint16])
def test_the_pixels_of_some_classes_are_marked(kind):
    rng = np.random.default_rng(2)
    classes = rng.integers(0, np.iinfo(kind).max + 1, (40, 50)).astype(kind)[:, ::2]
    ids = set(classes[::3].ravel().tolist())
    found = marked(classes, ids)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, np.isin(classes, list(ids)))
    assert not marked(classes, ()).any()
