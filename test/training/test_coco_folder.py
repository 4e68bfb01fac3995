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

"""Tables of segments: pairs by id, and what is wrong with them in one line."""

import json

import cv2
import numpy as np
import pytest
from seg_ros.core.errors import ImageError, SettingError
from seg_ros.training.coco_folder import CocoFolder
from seg_ros.training.coco_masks import read_segment_numbers
from seg_ros.training.coco_table import read_coco_table
from seg_ros.training.mixed_sources import MixedSources
from seg_ros.training.sample import instances_known, VOID

CATEGORIES = [{'id': 7, 'name': 'wall', 'isthing': 0}, {'id': 300, 'name': 'ball', 'isthing': 1}]
GRAYS = {'a.png': 10, 'b.png': 20, 'c.png': 30}


def write_ids(path, ids):
    path.parent.mkdir(exist_ok=True)
    planes = np.stack([ids >> 16 & 255, ids >> 8 & 255, ids & 255], axis=2)
    cv2.imwrite(str(path), planes.astype(np.uint8))


def table_of(names, annotated=None, **keys):
    """Each image has one ball, of as many columns as its grey level has tens."""
    return {
        'images': [{'id': GRAYS[name], 'file_name': name} for name in names],
        'annotations': [
            {'image_id': GRAYS.get(name, 99), 'file_name': name, 'segments_info': [
                {'id': 1000, 'category_id': 7}, {'id': 5, 'category_id': 300},
            ]} for name in (names if annotated is None else annotated)
        ],
        'categories': CATEGORIES, **keys,
    }


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'images').mkdir()
    for name, gray in GRAYS.items():
        cv2.imwrite(str(tmp_path / 'images' / name), np.full((8, 8, 3), gray, np.uint8))
        ids = np.full((8, 8), 1000)
        ids[:, :gray // 10] = 5
        write_ids(tmp_path / 'panoptic' / name, ids)
    return tmp_path


def written(folder, table):
    (folder / 'panoptic.json').write_text(json.dumps(table))
    return folder


@pytest.mark.parametrize('order', [['a.png', 'b.png', 'c.png'], ['c.png', 'a.png', 'b.png']])
def test_an_image_is_paired_with_the_masks_that_name_its_id(folder, order):
    source = CocoFolder(written(folder, table_of(list(GRAYS), order)))
    for number in range(3):
        sample = source.read(number)
        assert (sample.classes == 1).sum(1).tolist() == [sample.rgb[0, 0, 0] // 10] * 8
        assert ((sample.instances > 0) == (sample.classes == 1)).all()


def test_what_is_not_paired_is_left_out_and_reported(folder):
    source = CocoFolder(written(folder, table_of(['a.png', 'b.png'], ['b.png', 'lost.png'])))
    assert len(source) == 1
    assert source.read(0).rgb[0, 0, 0] == 20
    bare, lost = source.notes
    assert 'images without an annotation, left out: a.png' in bare
    assert 'annotations whose image_id is no image, left out: lost.png' in lost


def test_ids_that_are_numbers_here_and_text_there_are_quoted_as_such(folder):
    table = table_of(['a.png', 'b.png'])
    for row in table['annotations']:
        row['image_id'] = str(row['image_id'])
    with pytest.raises(SettingError, match=r"are 10, 20, the image_id .* '10', '20'; "):
        CocoFolder(written(folder, table))


def test_classes_without_colours_get_different_ones(folder):
    rows = [*CATEGORIES, {'id': 9, 'name': 'box', 'isthing': 1, 'color': None}]
    colors = [item['color'] for item in CocoFolder(
        written(folder, table_of(['a.png'], categories=rows))
    ).categories]
    assert len(set(map(tuple, colors))) == 3


def without(key):
    return [{name: value for name, value in row.items() if name != key} for row in CATEGORIES]


@pytest.mark.parametrize(('keys', 'words'), [
    ({'categories': without('isthing')}, r'category 0, wall, has no isthing; expected 1 for'),
    ({'categories': without('id')}, 'category 0 has no id'),
    ({'categories': None}, r'panoptic\.json has no categories'),
    ({'annotations': []}, 'holds no masks'),
    ({'annotations': [{'file_name': 'a.png', 'segments_info': []}]}, '0 has no image_id'),
    ({'annotations': [{'image_id': 10, 'file_name': 'a.png'}]}, 'has no segments_info'),
    ({'annotations': [{'image_id': 10, 'category_id': 7, 'segmentation': [[0, 0, 4, 0, 4, 4]]}]},
     'format of instances.*detection2panoptic_coco_format'),
    ({'categories': [{**row, 'color': [1, 2, 3]} for row in CATEGORIES]}, 'share the color'),
    ({'categories': [{**row, 'name': 'same'} for row in CATEGORIES]}, 'share the name'),
    ({'categories': [{'id': 70000, 'name': 'far', 'isthing': 0}]}, 'id 70000; expected an id'),
    ({'images': [{'id': 1, 'file_name': 'a.png'}] * 2}, 'has the id 1 of an earlier one'),
])
def test_a_table_that_is_wrong_is_named_with_what_is_wrong(folder, keys, words):
    with pytest.raises(SettingError, match=words) as raised:
        CocoFolder(written(folder, table_of(['a.png'], **keys)))
    assert 'panoptic.json' in str(raised.value)


def test_a_list_is_no_table(folder):
    with pytest.raises(SettingError, match=r'panoptic\.json holds \[\]; expected a table'):
        read_coco_table(written(folder, []) / 'panoptic.json')


def test_masks_of_another_size_are_named_with_their_image(folder):
    write_ids(folder / 'panoptic/a.png', np.full((4, 6), 1000))
    source = CocoFolder(written(folder, table_of(['a.png'])))
    with pytest.raises(ImageError, match=r'images/a\.png has 8x8 .*panoptic/a\.png 6x4'):
        source.read(0)


def test_segments_of_unknown_categories_are_void_and_reported(folder):
    source = CocoFolder(written(folder, table_of(['b.png'], categories=CATEGORIES[:1])))
    assert (source.read(0).classes[:, :2] == VOID).all()
    assert (source.read(0).classes[:, 2:] == 0).all()
    lines = []
    MixedSources([source], folder / 'cache', report=lines.append)
    assert lines[-1] == f'{folder.name}: ids of no class are void: 300 (25 % of the pixels)'


def test_a_crowd_has_its_class_and_unknown_instances(folder):
    table = table_of(['b.png'])
    table['annotations'][0]['segments_info'][1]['iscrowd'] = 1
    sample = CocoFolder(written(folder, table)).read(0)
    assert (sample.classes[:, :2] == 1).all()
    assert not sample.instances.any()
    known = instances_known(sample, np.array([False, True]))
    assert (known == (sample.classes == 0)).all()


def test_of_more_than_250_things_the_smallest_keep_their_class_alone(folder):
    ids = np.full((20, 20), 5)
    ids.ravel()[20:320] = np.arange(2000, 2300)     # one pixel each beside a large one
    write_ids(folder / 'panoptic/a.png', ids)
    cv2.imwrite(str(folder / 'images/a.png'), np.zeros((20, 20, 3), np.uint8))
    table = table_of(['a.png'])
    table['annotations'][0]['segments_info'] = [
        {'id': number, 'category_id': 300} for number in [*range(2000, 2300), 5]
    ]
    source = CocoFolder(written(folder, table))
    sample = source.read(0)
    assert (sample.classes == 1).all()
    assert len(np.unique(sample.instances[sample.instances > 0])) == 250
    assert (sample.instances[ids == 5] > 0).all()
    assert '250 things count as instances: a.png' in source.notes[0]


def test_pixels_have_the_number_of_their_segment(tmp_path):
    ids = np.random.default_rng(0).choice([0, 3, 70000, 256, 9], (12, 15))
    write_ids(tmp_path / 'ids/0.png', ids)
    numbers = read_segment_numbers(
        tmp_path / 'ids/0.png', [{'id': 70000}, {'id': 3}, {'id': 256}]
    )
    for number, value in enumerate((70000, 3, 256), start=1):
        assert ((numbers == number) == (ids == value)).all()
    assert ((numbers == 0) == ((ids == 0) | (ids == 9))).all()
