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

"""Images whose masks are known, as `seg_ros eval` opens them."""

import json
import os

import cv2
import numpy as np
import pytest
from seg_ros.cli import main
from seg_ros.commands.evaluation.ground_truth import open_examples, Places
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.errors import ImageError, SettingError

CARD = ModelCard('model', 'semantic', (
    ClassInfo(0, 'floor', (1, 2, 3)), ClassInfo(7, 'box', (4, 5, 6)),
))


def opened(folder):
    return open_examples(Places(
        folder / 'images', folder / 'panoptic.json', folder / 'panoptic', folder / 'labels',
    ), CARD)


def write(path, image):
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), image)


@pytest.mark.parametrize('image', ['a.JPG', 'a.PNG', 'a.bmp', 'a.TIFF', 'a.webp'])
def test_the_image_of_labels_is_found_by_every_suffix(tmp_path, image):
    write(tmp_path / 'images' / image, np.zeros((4, 6, 3), np.uint8))
    write(tmp_path / 'labels/a.png', np.full((4, 6), 7, np.uint8))
    example, = opened(tmp_path)
    assert example.image == tmp_path / 'images' / image
    assert (example.truth().segmentation.classes == 7).all()


def test_of_labels_with_a_palette_the_indexes_count(tmp_path):
    pillow = pytest.importorskip('PIL.Image', reason='palettes need Pillow, the extra [eval]')
    write(tmp_path / 'images/a.png', np.zeros((4, 6, 3), np.uint8))
    (tmp_path / 'labels').mkdir()
    drawn = pillow.fromarray(np.full((4, 6), 7, np.uint8))
    drawn.putpalette([40 * level % 256 for level in range(768)])
    drawn.save(tmp_path / 'labels/a.png')
    example, = opened(tmp_path)
    assert (example.truth().segmentation.classes == 7).all()


def test_labels_in_colours_are_refused_with_their_channels(tmp_path):
    write(tmp_path / 'images/a.png', np.zeros((4, 6, 3), np.uint8))
    write(tmp_path / 'labels/a.png', np.zeros((4, 6, 3), np.uint8))
    example, = opened(tmp_path)
    with pytest.raises(ImageError, match=r'a\.png has colours.*expected one channel'):
        example.truth()


def test_labels_as_jpeg_are_not_taken(tmp_path):
    write(tmp_path / 'labels/a.jpg', np.zeros((4, 6), np.uint8))
    with pytest.raises(SettingError, match=r'holds no masks; .* not JPEG'):
        opened(tmp_path)


def test_images_of_a_table_without_masks_are_noted(tmp_path):
    for name in ('a', 'b'):
        write(tmp_path / f'images/{name}.png', np.zeros((4, 6, 3), np.uint8))
    write(tmp_path / 'panoptic/a.png', np.full((4, 6, 3), (0, 0, 9), np.uint8))
    (tmp_path / 'panoptic.json').write_text(json.dumps({
        'images': [{'id': 2, 'file_name': 'b.png'}, {'id': 1, 'file_name': 'a.png'}],
        'annotations': [{'image_id': 1, 'file_name': 'a.png', 'segments_info': [
            {'id': 9, 'category_id': 3},
        ]}],
        'categories': [{'id': 3, 'name': 'box', 'isthing': 1}],
    }))
    found = opened(tmp_path)
    assert [item.image.name for item in found] == ['a.png']
    assert (found.items[0].truth().segmentation.classes == 3).all()
    assert len(found.notes) == 1
    assert 'without an annotation, left out: b.png' in found.notes[0]


def test_a_pipe_among_the_images_is_skipped(tmp_path, capsys):
    for kind in ('images', 'labels'):
        (tmp_path / kind).mkdir()
    for number in range(2):
        cv2.imwrite(str(tmp_path / 'labels' / f'{number}.png'), np.zeros((32, 48), np.uint8))
    cv2.imwrite(str(tmp_path / 'images' / '0.png'), np.zeros((32, 48, 3), np.uint8))
    os.mkfifo(tmp_path / 'images' / '1.png')
    assert main(['eval', 'otsu', '--data', str(tmp_path)]) == 1
    assert 'skipped 1: ' in capsys.readouterr().err
