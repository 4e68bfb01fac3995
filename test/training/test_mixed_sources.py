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

"""Sources opened, reduced once, and drawn by their shares."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from seg_ros.core.errors import SettingError
from seg_ros.training.coco_folder import CocoFolder
from seg_ros.training.label_folder import LabelFolder
from seg_ros.training.mixed_sources import MixedSources, open_sources
from seg_ros.training.photographs import photographs_of
from seg_ros.training.sample import VOID
from seg_ros.training.sample_cache import longest_kept

CATEGORIES = [
    {'id': 4, 'name': 'floor', 'isthing': 0, 'color': [1, 2, 3]},
    {'id': 9, 'name': 'object', 'isthing': 1, 'color': [4, 5, 6]},
]


def write_folder(folder):
    """Write a data set of two images: a box on a floor, and a floor with a void half."""
    for kind in ('images', 'panoptic'):
        (folder / kind).mkdir(parents=True)
    ids = np.full((2, 480, 640), 65540, np.uint32)
    ids[0, 100:300, 200:400] = 3
    ids[1, :, 320:] = 0
    annotations = []
    for number, plane in enumerate(ids):
        blue = np.stack([plane >> 16 & 255, plane >> 8 & 255, plane & 255], axis=2)
        cv2.imwrite(str(folder / f'panoptic/{number}.png'), blue.astype(np.uint8))
        cv2.imwrite(
            str(folder / f'images/{number}.jpg'), np.full((480, 640, 3), (0, 0, 200), np.uint8)
        )
        rows = [{'id': 65540, 'category_id': 4}, {'id': 3, 'category_id': 9}]
        annotations.append(
            {'image_id': number, 'file_name': f'{number}.png', 'segments_info': rows}
        )
    images = [{'id': number, 'file_name': f'{number}.jpg'} for number in range(2)]
    table = {'images': images, 'annotations': annotations, 'categories': CATEGORIES}
    (folder / 'panoptic.json').write_text(json.dumps(table))
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / 'renders')


def open_samples(folders, tmp_path, shares=None):
    return MixedSources(open_sources(folders, 'train', {}), tmp_path / 'cache', shares)


def test_maps_are_reduced_to_channels_instances_and_void(folder, tmp_path):
    samples = open_samples([folder], tmp_path)
    rgb, classes, instances, complete, unknown = samples[0]
    assert rgb.shape == (384, 512, 3)
    assert rgb[0, 0, 0] > 190
    assert rgb[0, 0, 2] < 10
    assert classes[0, 0] == 0
    assert (classes[81:239, 161:319] == 1).all()
    assert len(np.unique(instances[81:239, 161:319])) == 1
    assert not instances[classes == 0].any()
    assert not complete.any()
    assert not unknown
    assert (samples[1].classes[:, 257:] == VOID).all()


def test_images_are_decoded_once(folder, tmp_path, monkeypatch):
    first = open_samples([folder], tmp_path)[1]
    monkeypatch.setattr(CocoFolder, 'read', lambda *_: pytest.fail('decoded again'))
    assert np.array_equal(open_samples([folder], tmp_path)[1].classes, first.classes)


def test_a_folder_that_changed_is_decoded_anew(folder, tmp_path):
    assert len(open_samples([folder], tmp_path)) == 2
    table = json.loads((folder / 'panoptic.json').read_text())
    table['images'], table['annotations'] = table['images'][:1], table['annotations'][:1]
    (folder / 'panoptic.json').write_text(json.dumps(table))
    assert len(open_samples([folder], tmp_path)) == 1


def test_sources_follow_each_other(folder, tmp_path):
    samples = open_samples([folder, write_folder(tmp_path / 'more')], tmp_path)
    assert len(samples) == 4
    assert np.array_equal(samples[3].classes, samples[1].classes)


def test_shares_say_how_often_a_source_is_drawn(folder, tmp_path):
    more = write_folder(tmp_path / 'more')
    weights = open_samples([folder, more], tmp_path, {'renders': 3, 'more': 1}).probabilities()
    assert weights.sum() == pytest.approx(1)
    assert weights[:2].sum() == pytest.approx(0.75)
    assert len(open_samples([folder, more], tmp_path, {'more': 1})) == 2


def test_shares_that_leave_nothing_are_refused(folder, tmp_path):
    with pytest.raises(SettingError, match='shares that are all 0'):
        open_samples([folder], tmp_path, {'renders': 0.0})


def test_a_share_of_a_source_that_is_not_there_is_refused_with_those_that_are(folder, tmp_path):
    with pytest.raises(SettingError, match=r'a share of rendres; expected of renders'):
        open_samples([folder], tmp_path, {'rendres': 1})


def test_images_with_rare_classes_are_drawn_more_often(folder, tmp_path):
    samples = open_samples([folder], tmp_path)
    samples.sources[0].class_fractions[:] = [[0.9, 0.0], [0.95, 0.05]]
    without, with_rare = samples.probabilities()
    assert with_rare > 2 * without
    assert samples.class_weights()[1] > samples.class_weights()[0]


def test_a_folder_of_neither_layout_is_refused(tmp_path):
    with pytest.raises(SettingError, match=r'panoptic\.json, or with index\.json'):
        open_samples([tmp_path], tmp_path)


def test_a_mask_that_was_corrected_is_read_anew(folder, tmp_path):
    before = open_samples([folder], tmp_path)[0].classes
    (folder / 'panoptic/0.png').write_bytes((folder / 'panoptic/1.png').read_bytes())
    after = open_samples([folder], tmp_path)[0].classes
    assert not np.array_equal(before, after)
    assert (after[:, 257:] == VOID).all()


def test_an_image_that_was_replaced_is_read_anew(folder, tmp_path):
    open_samples([folder], tmp_path)
    cv2.imwrite(str(folder / 'images/0.jpg'), np.zeros((480, 640, 3), np.uint8))
    assert not open_samples([folder], tmp_path)[0].rgb.any()


@pytest.mark.parametrize('kind', ['images/a.jpg', 'labels/a.png', 'instances/a.png'])
def test_a_later_file_of_the_same_size_is_another_source(tmp_path, kind):
    row = {'source': 'street', 'name': 'a', 'complete': []}
    (tmp_path / 'index.json').write_text(json.dumps([row]))
    (tmp_path / 'train.txt').write_text('street/a')
    for part in ('images/a.jpg', 'labels/a.png', 'instances/a.png'):
        (tmp_path / 'street' / part).parent.mkdir(parents=True)
        cv2.imwrite(str(tmp_path / 'street' / part), np.zeros((4, 6), np.uint8))

    def prints():
        labels = LabelFolder(tmp_path / 'street', [{'id': 0, 'name': 'floor'}])
        return photographs_of(tmp_path, 'train', {})[0].fingerprint, labels.fingerprint

    first = prints()
    assert prints() == first
    os.utime(tmp_path / 'street' / kind, (1, 1))
    assert prints()[0] != first[0]
    assert (prints()[1] != first[1]) == (kind != 'instances/a.png')


def test_images_are_kept_a_third_larger_than_the_network_sees_them(folder, tmp_path):
    assert longest_kept((288, 384)) == longest_kept((96, 128)) == 512
    assert longest_kept((480, 640)) == longest_kept((640, 480)) == 853
    sources = open_sources([folder], 'train', {})
    assert MixedSources(sources, tmp_path, longest=512)[0].rgb.shape == (384, 512, 3)
    assert MixedSources(sources, tmp_path, longest=853)[0].rgb.shape == (480, 640, 3)


def test_of_a_folder_with_both_the_table_counts(folder, tmp_path):
    (folder / 'labels').mkdir()
    cv2.imwrite(str(folder / 'labels/0.png'), np.zeros((480, 640), np.uint8))
    assert isinstance(open_sources([folder], 'train', {})[0], CocoFolder)


def test_sources_whose_classes_have_other_colours_go_together(folder, tmp_path):
    more = write_folder(tmp_path / 'more')
    text = (more / 'panoptic.json').read_text()
    (more / 'panoptic.json').write_text(text.replace('[1, 2, 3]', '[9, 9, 9]'))
    assert len(open_samples([folder, more], tmp_path)) == 4
    (more / 'panoptic.json').write_text(text.replace('"floor"', '"ground"'))
    with pytest.raises(SettingError, match='renders and more, sources with different classes'):
        open_samples([folder, more], tmp_path)


def test_masks_of_no_class_are_refused(tmp_path):
    for kind in ('images', 'labels'):
        (tmp_path / 'street' / kind).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / 'street' / kind / 'a.png'), np.full((4, 6), 9, np.uint8))
    sources = open_sources([tmp_path / 'street'], 'train', {}, [{'id': 0, 'name': 'floor'}])
    with pytest.raises(SettingError, match=r'street, whose pixels are of no class; .* floor'):
        MixedSources(sources, tmp_path / 'cache')


def test_ids_of_no_class_and_classes_without_pixels_are_reported_each_time(tmp_path):
    ids = np.zeros((40, 50), np.uint8)
    ids[:10], ids[10:12] = 255, 7
    for kind in ('images', 'labels'):
        (tmp_path / 'street' / kind).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / 'street' / kind / 'a.png'), ids)
    classes = [{'id': 0, 'name': 'floor'}, {'id': 1, 'name': 'box'}]
    for _ in range(2):      # read, and from the cache
        lines = []
        sources = open_sources([tmp_path / 'street'], 'train', {}, classes)
        MixedSources(sources, tmp_path / 'cache', None, lines.append)
        assert lines[-2:] == [
            'street: ids of no class are void: 255 (25 % of the pixels), 7 (5 % of the pixels)',
            'classes without a single pixel, which cannot be learned: box',
        ]


def test_a_source_is_called_as_its_folder_wherever_one_stands(folder, tmp_path, monkeypatch):
    (tmp_path / 'street/images').mkdir(parents=True)
    (tmp_path / 'street/labels').mkdir()
    for kind in ('images', 'labels'):
        cv2.imwrite(str(tmp_path / 'street' / kind / 'a.png'), np.zeros((4, 6), np.uint8))
    for name in ('renders', 'street'):
        monkeypatch.chdir(tmp_path / name)
        source, = open_sources([Path()], 'train', {}, [{'id': 0, 'name': 'floor'}])
        assert source.name == name


def test_what_is_left_out_is_reported(folder, tmp_path):
    table = json.loads((folder / 'panoptic.json').read_text())
    del table['annotations'][0]
    (folder / 'panoptic.json').write_text(json.dumps(table))
    lines = []
    MixedSources(open_sources([folder], 'train', {}), tmp_path / 'cache', None, lines.append)
    assert any('images without an annotation, left out: 0.jpg' in line for line in lines)
