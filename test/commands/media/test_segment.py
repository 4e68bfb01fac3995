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
from seg_ros.commands.media.segment import segment_sources
from seg_ros.commands.media.source_image import SourceImage
from seg_ros.commands.progress import Progress
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import EngineError, ImageError, SettingError
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.timing import Timing
from street import CARD, make_image, segment


class Images:
    """A source that holds images, and errors in place of those that cannot be read."""

    storage = ''
    rate_hz = 0.0

    def __init__(self, *items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def images(self, skip):
        for item in self.items:
            if isinstance(item, SourceImage):
                yield item
            else:
                skip(*item)


def image(name, seed=0):
    return SourceImage(name, f'in/{name}.jpg', Frame(make_image(seed), 'bgr'))


def run(folder, *sources, segment=segment, card=CARD, alpha=0.5):
    progress = Progress('run', sum(map(len, sources)))
    return segment_sources(sources, segment, card, folder, alpha, Timing(), progress)


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_every_image_gives_all_its_files(tmp_path):
    figures = run(tmp_path, Images(image('a', 1), image('b', 2)))
    assert (figures.images, figures.skipped, figures.segments) == (2, 0, 4)
    assert set(figures.ms) == {'read', 'write'}
    for seed, name in ((1, 'a'), (2, 'b')):
        green = make_image(seed)[:, :, 1]
        semantic = read(tmp_path / f'semantic/{name}.png')
        instance = read(tmp_path / f'instance/{name}.png')
        assert (semantic.dtype, instance.dtype) == (np.uint8, np.uint16)
        np.testing.assert_array_equal(semantic, np.select([green > 180, green < 60], [5, 2], 255))
        np.testing.assert_array_equal(instance > 0, green > 180)
        assert read(tmp_path / f'overlay/{name}.png').shape == (60, 80, 3)
        assert read(tmp_path / f'panoptic/{name}.png').shape == (60, 80, 3)
    assert len(json.loads((tmp_path / 'panoptic.json').read_text())['annotations']) == 2


def test_the_overlay_has_the_card_s_colours_in_the_right_order(tmp_path):
    run(tmp_path, Images(image('a')), alpha=1.0)
    np.testing.assert_array_equal(read(tmp_path / 'overlay/a.png')[58, 2], (128, 64, 128))
    blue, green, red = read(tmp_path / 'overlay/a.png')[40, 15]
    assert blue > max(green, red)


def test_ids_of_16_bits_are_written_with_16_bits(tmp_path):
    card = card_from_dict({'name': 'many', 'classes': [
        {'id': 300, 'name': 'road'}, {'id': 65534, 'name': 'car'},
    ]})

    def two_classes(frame, temporal):
        classes = np.full(frame.size_hw, 65535, np.uint16)
        classes[:, :30], classes[:, 30:60] = 300, 65534
        confidence = np.full(frame.size_hw, 255, np.uint8)
        confidence[:, 60:] = 0
        nothing = np.zeros(frame.size_hw, np.uint16)
        return Segmentation(frame.size_hw, 65535, classes, confidence, nothing)

    run(tmp_path, Images(image('a')), segment=two_classes, card=card)
    semantic = read(tmp_path / 'semantic/a.png')
    assert semantic.dtype == np.uint16
    assert semantic[0, [0, 40, 70]].tolist() == [300, 65534, 65535]


def test_images_that_share_a_name_do_not_overwrite_each_other(tmp_path):
    run(tmp_path, Images(image('a', 0), image('a_2', 1)), Images(image('a', 2)),
        Images(image('A', 3)))
    names = {path.stem for path in (tmp_path / 'semantic').iterdir()}
    assert names == {'a', 'a_2', 'a_3', 'A_4'}
    for name, seed in (('a', 0), ('a_2', 1), ('a_3', 2), ('A_4', 3)):
        mask = read(tmp_path / f'instance/{name}.png') > 0
        np.testing.assert_array_equal(mask, make_image(seed)[:, :, 1] > 180)
    table = json.loads((tmp_path / 'panoptic.json').read_text())
    assert [row['file_name'] for row in table['annotations']] == [
        'a.png', 'a_2.png', 'a_3.png', 'A_4.png'
    ]


def test_bad_images_are_skipped_reported_and_counted(tmp_path, capsys):
    bad = ('bad.png', ImageError('torn in two', 'a whole one'))
    figures = run(tmp_path, Images(image('a'), bad, image('b'), bad))
    assert (figures.images, figures.skipped) == (2, 2)
    assert capsys.readouterr().err.splitlines() == [
        'seg_ros run: skipped bad.png: torn in two; expected a whole one'
    ]


def test_an_image_that_the_model_cannot_take_is_left_out(tmp_path):
    def fussy(frame, temporal):
        if frame.pixels[40, 10, 0] > 200:
            raise ImageError('a car where none may stand')
        return segment(frame)

    figures = run(tmp_path, Images(image('a', 0), image('b', 10)), segment=fussy)
    assert (figures.images, figures.skipped) == (1, 1)
    assert not (tmp_path / 'semantic/a.png').exists()


def test_an_engine_that_fails_ends_the_run_and_leaves_the_table_of_what_was_done(tmp_path):
    def failing(frame, temporal):
        if frame.pixels[40, 10, 0] > 200:
            return segment(frame)
        raise EngineError('out of memory')

    with pytest.raises(EngineError, match='out of memory'):
        run(tmp_path, Images(image('a', 0), image('b', 10)), segment=failing)
    assert len(json.loads((tmp_path / 'panoptic.json').read_text())['images']) == 1


def test_if_nothing_can_be_read_there_is_an_error(tmp_path):
    bad = ('bad.png', ImageError('torn in two'))
    with pytest.raises(ImageError, match='none of 2 images could be read'):
        run(tmp_path, Images(bad, bad))
    assert not list(tmp_path.iterdir())


def test_a_single_image_s_error_is_the_run_s_error(tmp_path, capsys):
    with pytest.raises(ImageError, match=r'^bad\.png: torn in two; expected a whole one$'):
        run(tmp_path, Images(('bad.png', ImageError('torn in two', 'a whole one'))))
    assert capsys.readouterr().err == ''


def test_a_folder_that_takes_no_files_is_reported(tmp_path):
    (tmp_path / 'file').write_text('in the way')
    with pytest.raises(SettingError, match='cannot be written'):
        run(tmp_path / 'file', Images(image('a')))
