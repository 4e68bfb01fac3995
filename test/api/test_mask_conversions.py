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

"""Instances in the forms that other tools take."""

import json

import numpy as np
import pytest
from seg_ros.api.coco import run_lengths
from seg_ros.api.masks import Masks
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segment, Segmentation


@pytest.fixture
def masks():
    classes = np.full((6, 8), 255, np.uint8)
    instances = np.zeros((6, 8), np.uint16)
    for number, (rows, columns) in enumerate([((0, 2), (0, 3)), ((3, 6), (4, 8))], start=1):
        classes[slice(*rows), slice(*columns)] = 7
        instances[slice(*rows), slice(*columns)] = number
    segments = (Segment(2, 7, 0.9, (4, 3, 8, 6), 12), Segment(1, 7, 0.5, (0, 0, 3, 2), 6))
    confidence = np.where(classes == 7, 200, 0).astype(np.uint8)
    return Masks(
        Frame(np.zeros((6, 8, 3), np.uint8)),
        Segmentation((6, 8), 255, classes, confidence, instances, segments),
        ModelCard('cups', 'instance', (ClassInfo(7, 'cup', (1, 2, 3), True),)),
    )


def test_run_lengths_are_those_of_the_coco_tools():
    tools = pytest.importorskip('pycocotools.mask', reason='pycocotools is not installed')
    for seed in range(5):
        mask = np.random.default_rng(seed).random((7, 5)) < 0.5
        packed = tools.frPyObjects(run_lengths(mask), *mask.shape)
        assert (tools.decode(packed) == mask).all()


@pytest.mark.parametrize(('mask', 'counts'), [
    ([[0, 0], [0, 0]], [4]), ([[1, 1], [1, 1]], [0, 4]), ([[0, 1], [0, 1]], [2, 2]),
])
def test_runs_go_down_the_columns_and_begin_with_zeros(mask, counts):
    assert run_lengths(np.array(mask, bool)) == {'size': [2, 2], 'counts': counts}


def test_coco_annotations_are_plain_values(masks):
    best, other = json.loads(json.dumps(masks.coco(image_id=5)))
    assert (best['image_id'], best['category_id'], best['bbox']) == (5, 7, [4, 3, 4, 3])
    assert (best['area'], best['score']) == (12, 0.9)
    assert sum(other['segmentation']['counts'][1::2]) == other['area'] == 6


def test_supervision_gets_boxes_masks_scores_classes_and_ids(masks):
    pytest.importorskip('supervision', reason='supervision is not installed')
    found = masks.supervision()
    assert found.xyxy.tolist() == [[4, 3, 8, 6], [0, 0, 3, 2]]
    assert found.mask.sum(axis=(1, 2)).tolist() == [12, 6]
    assert found.class_id.tolist() == [7, 7]
    assert found.tracker_id.tolist() == [2, 1]
    assert found.data['class_name'].tolist() == ['cup', 'cup']


def test_without_supervision_the_error_says_how_to_install_it(masks, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'supervision', None)
    with pytest.raises(SettingError, match='pip install supervision'):
        masks.supervision()
