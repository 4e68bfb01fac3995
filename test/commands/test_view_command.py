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
"""`seg_ros view` sends images and masks to Rerun, which a stand-in takes the place of."""

from importlib import import_module
import inspect
import sys
from types import ModuleType

import cv2
from fakes.promptable_network import image_of, saved_promptable
from fakes.rerun import FakeBlueprint, FakeRerun, LAID_OUT, SHOWN
import numpy as np
import pytest
from seg_ros.api import Segmenter
from seg_ros.cli import main


@pytest.fixture
def rerun(monkeypatch):
    fake = FakeRerun()
    monkeypatch.setitem(sys.modules, 'rerun', fake)
    monkeypatch.setitem(sys.modules, 'rerun.blueprint', FakeBlueprint())
    return fake


@pytest.fixture
def photograph(tmp_path):
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[10:30, 20:50] = (255, 250, 245)
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), pixels)
    return path


def test_a_file_holds_each_image_with_the_masks_of_the_segmenter(rerun, photograph, tmp_path):
    saved = tmp_path / 'a.rrd'
    words = ['view', str(photograph), str(photograph), '--model', 'otsu', '--save', str(saved)]
    assert main(words) == 0
    assert saved.read_bytes() == b'recording'
    assert {path.name for path in tmp_path.iterdir()} == {'a.png', 'a.rrd'}
    assert rerun.spawned is False
    assert rerun.times == [('image', 0), ('image', 1)]
    with Segmenter('otsu') as segmenter:
        expected = segmenter(cv2.imread(str(photograph)), color='bgr')
    for name, pixels in (('classes', expected.classes), ('instances', expected.instances)):
        shown = [arguments[0] for arguments, _ in rerun.of(name)]
        maps = [each for each in shown if isinstance(each, np.ndarray)]
        assert len(maps) == 2
        assert all((each == pixels).all() for each in maps)
    (image,), options = rerun.of('image')[0]
    assert (options['color_model'], tuple(image[20, 30])) == ('BGR', (255, 250, 245))
    boxes = rerun.of('boxes')[1][1]
    assert boxes['array'].tolist() == [list(expected.segments[0].xyxy)]
    assert boxes['labels'][0].startswith(expected.class_name(expected.segments[0]))


def test_a_promptable_model_shows_what_is_asked_for_and_wants_to_be_asked(
    rerun, tmp_path, capsys
):
    model, image = str(saved_promptable(tmp_path)), tmp_path / 'cup.png'
    cv2.imwrite(str(image), image_of((10, 10, 20, 20)))
    words = ['view', str(image), '--model', model, '--save', str(tmp_path / 'a.rrd')]
    assert main([*words, '--prompts', '9 9 19 19']) == 0
    assert rerun.of('boxes')[-1][1]['array'].tolist() == [[10, 10, 20, 20]]
    assert main(words) != 0
    assert 'such as --prompts' in capsys.readouterr().err


def test_classes_have_the_names_and_colors_of_the_card(rerun, photograph, tmp_path):
    main(['view', str(photograph), '--model', 'otsu', '--save', str(tmp_path / 'a.rrd')])
    with Segmenter('otsu') as segmenter:
        card = segmenter.card
    (((context,), _), *_) = rerun.of('classes')
    assert context == [
        *((item.id, item.name, item.color) for item in card.classes),
        (card.unlabelled, 'unlabelled', (0, 0, 0, 0)),
    ]


def test_where_there_is_no_instance_nothing_is_drawn(rerun, photograph, tmp_path):
    main(['view', str(photograph), '--model', 'otsu', '--save', str(tmp_path / 'a.rrd')])
    (first,), _ = rerun.of('instances')[0]
    assert first == [(0, 'none', (0, 0, 0, 0))]


def test_a_failure_leaves_no_file(rerun, tmp_path, capsys):
    saved = tmp_path / 'a.rrd'
    assert main(['view', str(tmp_path / 'none.png'), '--save', str(saved)]) == 1
    assert 'no such file' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_file_is_named_before_the_work(
    rerun, photograph, tmp_path, capsys
):
    assert main(['view', str(photograph), '--save', str(tmp_path / 'none' / 'a.rrd')]) == 1
    assert f'{tmp_path / "none"} cannot be written (No such file' in capsys.readouterr().err


def test_without_a_display_browsers_and_files_are_named(rerun, photograph, monkeypatch, capsys):
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    assert main(['view', str(photograph)]) == 1
    assert 'no display' in capsys.readouterr().err
    monkeypatch.setenv('DISPLAY', ':0')
    assert main(['view', str(photograph), '--model', 'otsu']) == 0
    assert rerun.spawned is True


def test_browsers_are_served_until_the_end(rerun, photograph, monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr('seg_ros.commands.view.sleep', interrupted)
    assert main(['view', str(photograph), '--model', 'otsu', '--web']) == 130
    assert rerun.page == (9090, False, rerun.served)
    page = 'http://localhost:9090/?url=rerun%2Bhttp://localhost:9876/proxy'
    assert f'open {page} ' in capsys.readouterr().out


def test_images_lie_below_their_masks_in_views_of_the_plane(rerun, photograph, tmp_path):
    main(['view', str(photograph), '--model', 'otsu', '--save', str(tmp_path / 'a.rrd')])
    name, ((_, views, _),), _ = rerun.layout
    assert name == 'Blueprint'
    assert [(kind, options['name'], options['contents'][0]) for kind, _, options in views] == [
        ('Spatial2DView', 'classes', '/image'), ('Spatial2DView', 'instances', '/image'),
    ]


CALLED = ('init', 'save', 'serve_grpc', 'serve_web_viewer', 'disconnect', 'set_time', 'log')


def test_the_stand_in_takes_what_rerun_takes():
    rerun = pytest.importorskip('rerun', reason='rerun-sdk is not installed')
    blueprint = import_module('rerun.blueprint')
    taken = {name: parameters(getattr(rerun, name)) for name in (*SHOWN, *CALLED)}
    taken |= {name: parameters(getattr(blueprint, name)) for name in LAID_OUT}
    for name in CALLED:
        assert parameters(getattr(FakeRerun, name)) - {'self'} <= taken[name], name
    for name, options in {**SHOWN, **LAID_OUT}.items():
        assert options <= taken[name], name


def parameters(function):
    return set(inspect.signature(function).parameters)


@pytest.mark.parametrize(('module', 'words'), [
    (None, 'Rerun cannot be imported (import of rerun halted'),
    (ModuleType('rerun'), 'another package named rerun'),
])
def test_without_rerun_there_is_one_line(monkeypatch, photograph, tmp_path, capsys, module, words):
    monkeypatch.setitem(sys.modules, 'rerun', module)
    assert main(['view', str(photograph), '--save', str(tmp_path / 'a.rrd')]) == 1
    assert words in capsys.readouterr().err


def test_a_file_of_another_kind_is_refused(rerun, photograph, capsys):
    assert main(['view', str(photograph), '--save', str(photograph)]) == 1
    assert '.rrd' in capsys.readouterr().err
    assert cv2.imread(str(photograph)) is not None
