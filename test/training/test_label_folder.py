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

import cv2
import numpy as np
import pytest
from seg_ros.core.errors import SettingError
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
    assert not sample.absent.any()


def test_an_image_whose_labels_are_of_another_size_is_refused(folder):
    cv2.imwrite(str(folder / 'labels' / 'a.png'), np.zeros((5, 6), np.uint8))
    with pytest.raises(SettingError, match='differ in size'):
        LabelFolder(folder, CLASSES).read(0)


def test_label_images_without_names_of_classes_are_refused(folder):
    with pytest.raises(SettingError, match='--classes'):
        LabelFolder(folder, [])


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(SettingError, match='no images'):
        LabelFolder(tmp_path, CLASSES)
