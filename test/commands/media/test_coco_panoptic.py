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

import json

import cv2
import numpy as np
import pytest
from seg_ros.commands.media.coco_panoptic import CocoPanoptic
from seg_ros.commands.media.source_image import SourceImage
from seg_ros.core.frame import Frame
from street import CARD, make_image, segment


def read_ids(path):
    """Read a panoptic PNG as the COCO tools do."""
    blue, green, red = np.moveaxis(cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(int), 2, 0)
    return red + 256 * green + 256 * 256 * blue


@pytest.fixture
def written(tmp_path):
    images = {}
    with CocoPanoptic(tmp_path, CARD) as sink:
        for seed in range(3):
            frame = Frame(make_image(seed), 'bgr')
            masks = segment(frame)
            sink.write(f'p{seed}', SourceImage(f'p{seed}', f'in/p{seed}.jpg', frame), masks)
            images[f'p{seed}'] = masks
    return tmp_path, json.loads((tmp_path / 'panoptic.json').read_text()), images


def test_ids_are_those_of_instances_and_of_classes_without(written):
    folder, _, images = written
    for name, masks in images.items():
        ids = read_ids(folder / 'panoptic' / f'{name}.png')
        expected = np.zeros(masks.size_hw, int)
        expected[masks.classes == 2] = 65536 + 2
        expected[masks.instances == 1] = 1
        expected[masks.instances == 2] = 2
        np.testing.assert_array_equal(ids, expected)


def test_the_table_lists_exactly_the_segments_of_the_png(written):
    folder, table, images = written
    assert [row['file_name'] for row in table['annotations']] == [f'{n}.png' for n in images]
    categories = {row['id'] for row in table['categories']}
    for annotation in table['annotations']:
        ids = read_ids(folder / 'panoptic' / annotation['file_name'])
        rows = {row['id']: row for row in annotation['segments_info']}
        assert len(rows) == len(annotation['segments_info']) == 3
        assert set(rows) | {0} == set(np.unique(ids).tolist())
        for number, row in rows.items():
            ys, xs = np.nonzero(ids == number)
            x, y, width, height = row['bbox']
            assert row['area'] == len(xs)
            assert (x, y) == (xs.min(), ys.min())
            assert (x + width - 1, y + height - 1) == (xs.max(), ys.max())
            assert row['category_id'] in categories
            assert row['iscrowd'] == 0


def test_scores_are_those_of_instances_and_the_mean_confidence_of_the_rest(written):
    _, table, _ = written
    rows = table['annotations'][0]['segments_info']
    assert [(row['id'], row['category_id'], row['score']) for row in rows] == [
        (1, 5, 0.75), (2, 5, 0.75), (65538, 2, 0.8)
    ]


def test_images_and_categories_are_described(written):
    _, table, _ = written
    assert table['images'][1] == {
        'id': 2, 'file_name': 'in/p1.jpg', 'height': 60, 'width': 80
    }
    assert [row['image_id'] for row in table['annotations']] == [1, 2, 3]
    assert table['categories'] == [
        {'id': 2, 'name': 'road', 'isthing': 0, 'color': [128, 64, 128]},
        {'id': 5, 'name': 'car', 'isthing': 1, 'color': [0, 0, 142]},
    ]
