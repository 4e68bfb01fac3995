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
"""Folders of images with label images as samples."""

import sys

import cv2
import numpy as np
import pytest
from seg_ros.core.errors import ImageError, SettingError
from seg_ros.training.label_folder import LabelFolder
from seg_ros.training.sample import VOID

CLASSES = [{'id': 3, 'name': 'road'}, {'id': 7, 'name': 'car', 'thing': True}]


@pytest.fixture
def folder(tmp_path):
    for kind, image in (
        ('images', np.full((4, 6, 3), (1, 2, 3), np.uint8)),
        ('labels', np.array([[3] * 3 + [7] * 3, [11] * 6, [0] * 6, [255] * 6], np.uint8)),
    ):
        (tmp_path / kind).mkdir()
        cv2.imwrite(str(tmp_path / kind / 'a.png'), image)
    return tmp_path


def test_ids_become_channels_and_what_is_no_class_is_void(folder):
    source = LabelFolder(folder, CLASSES)
    assert len(source) == 1
    assert [item['isthing'] for item in source.categories] == [0, 1]
    sample = source.read(0)
    assert sample.rgb[0, 0].tolist() == [3, 2, 1]
    assert sample.classes[0].tolist() == [0] * 3 + [1] * 3
    assert (sample.classes[1:] == VOID).all()
    assert not sample.instances.any()
    assert not sample.complete.any()


def test_an_image_whose_labels_are_of_another_size_is_refused(folder):
    cv2.imwrite(str(folder / 'labels' / 'a.png'), np.zeros((5, 6), np.uint8))
    with pytest.raises(ImageError, match='differ in size'):
        LabelFolder(folder, CLASSES).read(0)


def test_label_images_without_names_of_classes_are_refused(folder):
    with pytest.raises(SettingError, match='--classes'):
        LabelFolder(folder, [])


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(SettingError, match='no images'):
        LabelFolder(tmp_path, CLASSES)


@pytest.mark.parametrize(('classes', 'words'), [
    ([{'id': 3, 'name': 'road'}, {'id': 7, 'name': 'road'}], 'share the name'),
    ([{'id': 3, 'name': 'road'}, {'id': 3, 'name': 'car'}], 'share the id'),
    ([{'id': 3, 'name': 'road', 'color': [1, 2, 3]},
      {'id': 7, 'name': 'car', 'color': [1, 2, 3]}], 'share the color'),
    ([{'id': -1, 'name': 'road'}], 'road has id -1; expected an id from 0'),
    ([{'id': 70000, 'name': 'road'}], 'road has id 70000; expected an id from 0'),
    ([{'id': number, 'name': f'class {number}'} for number in range(255)], '254 at most'),
])
def test_classes_that_no_card_can_have_are_refused_before_anything_is_read(folder, classes, words):
    with pytest.raises(SettingError, match=f'--classes.*{words}'):
        LabelFolder(folder, classes)


@pytest.mark.parametrize('image', ['b.JPG', 'b.JPEG', 'b.PNG', 'b.bmp', 'b.tif'])
@pytest.mark.parametrize('label', ['b.png', 'b.PNG', 'b.TIF'])
def test_images_and_labels_are_known_by_every_suffix(folder, image, label):
    ids = np.full((4, 6), 7, np.uint8)
    cv2.imwrite(str(folder / 'images' / image), np.zeros((4, 6, 3), np.uint8))
    cv2.imwrite(str(folder / 'labels' / label), ids)
    source = LabelFolder(folder, CLASSES)
    assert len(source) == 2
    assert (source.read(1).classes == 1).all()


def test_images_without_labels_and_labels_without_images_are_reported(folder):
    for name in ('images/b.png', 'labels/c.png', 'images/.d.png'):
        cv2.imwrite(str(folder / name), np.zeros((4, 6), np.uint8))
    source = LabelFolder(folder, CLASSES)
    assert len(source) == 1
    assert [note.partition(': ')[2] for note in source.notes] == [
        'images without labels, left out: b', 'labels without an image, left out: c',
    ]


def test_labels_as_jpeg_are_not_taken(folder):
    (folder / 'labels/a.png').unlink()
    cv2.imwrite(str(folder / 'labels/a.jpg'), np.zeros((4, 6), np.uint8))
    with pytest.raises(SettingError, match=r'no images in .* that have labels'):
        LabelFolder(folder, CLASSES)


@pytest.mark.parametrize('name', ['a.png', 'a.bmp'])
def test_of_labels_with_a_palette_the_indexes_count(folder, name):
    image = pytest.importorskip('PIL.Image', reason='palettes need Pillow, the extra [train]')
    ids = np.array([[3] * 3 + [7] * 3] * 4, np.uint8)
    drawn = image.fromarray(ids)
    drawn.putpalette([40 * level % 256 for level in range(768)])
    (folder / 'labels/a.png').unlink()
    drawn.save(folder / 'labels' / name)
    sample = LabelFolder(folder, CLASSES).read(0)
    assert (sample.classes == [0] * 3 + [1] * 3).all()


def test_labels_in_colours_are_called_so(folder, monkeypatch):
    cv2.imwrite(str(folder / 'labels/a.png'), np.zeros((4, 6, 3), np.uint8))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, 'PIL', None)
        with pytest.raises(ImageError, match=r'a\.png has colours, or .* install pillow'):
            LabelFolder(folder, CLASSES).read(0)
    pytest.importorskip('PIL', reason='palettes need Pillow, the extra [train]')
    with pytest.raises(ImageError, match='colours without a palette; expected one channel'):
        LabelFolder(folder, CLASSES).read(0)
