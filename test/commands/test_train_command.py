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

"""`seg_ros train`: from a folder of images to a network that `compile` takes."""

import argparse
import json
import shlex

import cv2
import numpy as np
import pytest
from seg_ros.cli import main
from seg_ros.commands import train
from seg_ros.compile.compiled import load_compiled
from seg_ros.core.card_reading import read_card
from seg_ros.core.errors import SettingError

pytest.importorskip('torch', reason='training needs PyTorch, the extra [train]')


def options(*words):
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture
def folder(tmp_path):
    """One image: a box on a floor."""
    ids = np.full((96, 128), 65536, np.uint32)
    ids[20:60, 30:90] = 1
    blue = np.stack([ids >> 16, ids >> 8 & 255, ids & 255], axis=2).astype(np.uint8)
    for kind, name, image in (
        ('images', '0.jpg', np.where(ids[..., None] == 1, 200, 60).repeat(3, 2)),
        ('panoptic', '0.png', blue),
    ):
        (tmp_path / kind).mkdir()
        cv2.imwrite(str(tmp_path / kind / name), image.astype(np.uint8))
    table = {
        'images': [{'id': 1, 'file_name': '0.jpg'}],
        'annotations': [{'image_id': 1, 'file_name': '0.png', 'segments_info': [
            {'id': 65536, 'category_id': 0}, {'id': 1, 'category_id': 3},
        ]}],
        'categories': [
            {'id': 0, 'name': 'floor', 'isthing': 0, 'color': [9, 9, 9]},
            {'id': 3, 'name': 'object', 'isthing': 1, 'color': [9, 99, 9]},
        ],
    }
    (tmp_path / 'panoptic.json').write_text(json.dumps(table))
    return tmp_path


def test_a_run_leaves_a_network_that_compiles(folder, capsys):
    out = folder / 'trained nets'
    words = '--data', str(folder), '-o', str(out), '--steps', '1', '--batch', '1', '--json'
    assert train.run(options(*words, '--size', '64', '96', '--crop', '32', '64')) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures['steps'] == 1
    card = read_card(out / 'default.yaml')
    assert [(item.id, item.thing, item.roles) for item in card.classes] == [
        (0, False, ('traversable',)), (3, True, ('graspable',)),
    ]
    assert card.input.size == (64, 96)
    assert main(shlex.split(figures['compile_with'])[1:]) == 0
    compiled = load_compiled(out / 'default.compiled.onnx')
    assert compiled.signature.score_floor <= compiled.card.thresholds.score
    assert (out / 'weights.npz').is_file()


@pytest.mark.parametrize('option', ['--size', '--crop'])
def test_a_size_that_the_network_cannot_halve_is_refused(folder, option):
    with pytest.raises(SettingError, match='multiples of 32'):
        train.run(options('--data', str(folder), '-o', str(folder), option, '60', '96'))


@pytest.mark.parametrize('words', [
    ('--resume',), ('--device', 'cuda'), ('--paste', 'a=b'), ('--crop', '64', '64'),
    ('--frozen', '4'), ('--init', 'weights.npz', '--keep', '0.5'),
])
def test_options_of_the_panoptic_network_alone_are_refused_with_another(folder, words):
    option = words[-2] if '--keep' in words else words[0]
    needed = '--data', str(folder), '-o', str(folder / 'out')
    with pytest.raises(SettingError, match=f'^{option} with --arch; expected'):
        train.run(options(*needed, '--arch', 'unet', *words))
    assert not (folder / 'out').exists()


@pytest.mark.parametrize('words', [
    ('--encoder', 'resnet18'), ('--option', 'width=1'), ('--bfloat16',),
])
def test_options_of_other_networks_are_refused_without_one(folder, words):
    needed = '--data', str(folder), '-o', str(folder / 'out')
    with pytest.raises(SettingError, match=f'^{words[0]} without --arch; expected'):
        train.run(options(*needed, *words))
    assert not (folder / 'out').exists()


@pytest.mark.parametrize('words', [
    ('--init', 'weights.npz'), ('--init', 'weights.pt', '--arch', 'unet'),
])
def test_initial_weights_are_never_written_over(folder, words):
    option, name, *rest = words
    (folder / name).write_bytes(b'weights')
    needed = '--data', str(folder), '-o', str(folder)
    with pytest.raises(SettingError, match=f'is the input .*{name}'):
        train.run(options(*needed, option, str(folder / name), *rest))
    assert (folder / name).read_bytes() == b'weights'


@pytest.mark.parametrize(('option', 'value'), [
    ('--labels', '{}'), ('--list', ''), ('--classes', 'floor'),
])
def test_options_that_the_data_have_no_use_for_are_refused(folder, option, value):
    (folder / 'file').write_text(value)
    needed = '--data', str(folder), '-o', str(folder / 'out')
    with pytest.raises(SettingError, match=f'^{option} with'):
        train.run(options(*needed, option, str(folder / 'file')))
    assert not (folder / 'out').exists()


@pytest.mark.parametrize(('classes', 'words'), [
    ('floor\nbox\n', 'no class of the data is a thing; expected'),
    ('- {id: 0, name: floor}\n- {id: 1, name: box, thing: true}\n', 'labels/ alone, which hold'),
])
def test_data_without_things_or_instances_are_refused_before_the_first_step(
    tmp_path, classes, words
):
    for kind in ('images', 'labels'):
        (tmp_path / kind).mkdir()
        cv2.imwrite(str(tmp_path / kind / '0.png'), np.zeros((64, 96), np.uint8))
    path = tmp_path / ('classes.yaml' if ':' in classes else 'classes.txt')
    path.write_text(classes)
    with pytest.raises(SettingError, match=f'^{words}.* --arch ARCH trains a semantic network'):
        train.run(options(
            '--data', str(tmp_path), '-o', str(tmp_path / 'out'), '--classes', str(path),
        ))
    assert not (tmp_path / 'out').exists()


def test_images_are_kept_as_large_as_the_network_needs_them(folder):
    out = folder / 'out'
    with pytest.raises(SettingError, match='--paste'):
        train.run(options(
            '--data', str(folder), '-o', str(out), '--size', '480', '640', '--paste', 'none=none',
        ))
    assert [path.name.rpartition('-')[2] for path in (out / 'cache').iterdir()] == ['853']


def test_a_network_of_other_data_has_no_licence_and_colours_of_its_own(folder):
    table = json.loads((folder / 'panoptic.json').read_text())
    for row in table['categories']:
        del row['color']
    (folder / 'panoptic.json').write_text(json.dumps(table))
    small = '--steps', '1', '--batch', '1', '--size', '64', '96', '--crop', '32', '64'
    assert train.run(options('--data', str(folder), '-o', str(folder / 'out'), *small)) == 0
    card = read_card(folder / 'out/default.yaml')
    assert card.licence == ''
    assert len({item.color for item in card.classes}) == 2


def test_fewer_than_no_workers_are_refused(folder, capsys):
    with pytest.raises(SystemExit):
        options('--data', str(folder), '-o', str(folder), '--workers', '-1')
    assert '0 or more' in capsys.readouterr().err


def test_photographs_are_mixed_in_with_hand_labels_and_pasted_things(folder, tmp_path, capsys):
    root = tmp_path / 'photographs'
    for kind in ('images', 'labels', 'instances'):
        (root / 'street' / kind).mkdir(parents=True)
    labels, numbers = np.full((96, 128), 255, np.uint8), np.zeros((96, 128), np.uint16)
    labels[20:70, 30:80], numbers[20:70, 30:80] = 5, 1
    cv2.imwrite(str(root / 'street/images/a.jpg'), np.full((96, 128, 3), 120, np.uint8))
    cv2.imwrite(str(root / 'street/labels/a.png'), labels)
    cv2.imwrite(str(root / 'street/instances/a.png'), numbers)
    row = {'name': 'a', 'source': 'street', 'license': 'CC0', 'complete': ['person']}
    (root / 'index.json').write_text(json.dumps([row]))
    (root / 'train.txt').write_text('street/a')
    drawn = {'a': {'size_hw': [96, 128], 'polygons': [
        {'class': 'floor', 'xy': [0, 70, 127, 70, 127, 95, 0, 95]},
    ]}}
    (tmp_path / 'drawn.json').write_text(json.dumps(drawn))
    out = tmp_path / 'trained'
    words = '--data', str(root), '-o', str(out), '--steps', '2', '--batch', '2', '--json'
    assert train.run(options(
        *words, '--size', '64', '96', '--crop', '32', '64', '--share', 'street=1',
        '--labels', str(tmp_path / 'drawn.json'), '--paste', 'street=person',
    )) == 0
    assert json.loads((out / 'credits.json').read_text()) == [
        {'source': 'street', 'name': 'a', 'license': 'CC0'}
    ]
    assert read_card(out / 'default.yaml').licence == 'Apache-2.0'
    with pytest.raises(SettingError, match='--paste street=dog'):
        train.run(options(*words, '--paste', 'street=dog'))
    with pytest.raises(SettingError, match='--share street'):
        train.run(options(*words, '--share', 'street=much'))


def test_a_named_architecture_learns_from_label_images_and_compiles(tmp_path, capsys):
    pytest.importorskip('torchvision', reason='LR-ASPP is of torchvision, the extra [zoo]')
    from seg_ros.compile.compile_model import compile_model

    labels = np.zeros((64, 96), np.uint8)
    labels[20:, 30:] = 1
    for kind, image in (('images', 90 * labels), ('labels', labels)):
        (tmp_path / kind).mkdir()
        cv2.imwrite(str(tmp_path / kind / '0.png'), image)
    (tmp_path / 'names.txt').write_text('floor\nbox\n')
    out = tmp_path / 'trained'
    words = '--data', str(tmp_path), '-o', str(out), '--steps', '1', '--batch', '2', '--json'
    named = '--arch', 'lraspp', '--classes', str(tmp_path / 'names.txt'), '--name', 'boxes'
    assert train.run(options(*words, *named, '--size', '64', '96')) == 0
    assert json.loads(capsys.readouterr().out)['steps'] == 1
    card = read_card(out / 'boxes.yaml')
    assert [item.name for item in card.classes] == ['floor', 'box']
    assert compile_model(out / 'boxes.onnx', card).graph.input[0].name == 'image'
    assert (out / 'weights.pt').is_file()


def test_a_mask_rcnn_learns_the_things_of_a_coco_folder_and_compiles(folder, capsys):
    pytest.importorskip('torchvision', reason='Mask R-CNN is of torchvision, the extra [zoo]')
    from seg_ros.compile.compile_model import compile_model

    out = folder / 'trained'
    words = '--data', str(folder), '-o', str(out), '--steps', '1', '--batch', '2', '--json'
    sizes = 'width=16', 'before=50', 'proposals=20', 'candidates=20', 'detections=5'
    named = '--arch', 'mask_rcnn', '--encoder', 'mobilenet_v2', '--size', '64', '96'
    assert train.run(options(*words, *named, '--option', *sizes)) == 0
    assert json.loads(capsys.readouterr().out)['steps'] == 1
    card = read_card(out / 'default.yaml')
    assert [(item.id, item.name) for item in card.classes] == [(3, 'object')]
    assert {item.name for item in compile_model(out / 'default.onnx', card).graph.output} >= {
        'boxes', 'scores', 'masks',
    }
    with pytest.raises(SettingError, match='width=wide'):
        train.run(options(*words, *named, '--option', 'width=wide'))
