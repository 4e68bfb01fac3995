"""`seg_ros train`: from a folder of images to a network that `compile` takes."""

import argparse
import json

import cv2
import numpy as np
import pytest
from seg_ros.commands import train
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
    from seg_ros.compile.compile_model import compile_model

    out = folder / 'trained'
    words = '--data', str(folder), '-o', str(out), '--steps', '1', '--batch', '1', '--json'
    assert train.run(options(*words, '--size', '64', '96', '--crop', '32', '64')) == 0
    assert json.loads(capsys.readouterr().out)['steps'] == 1
    card = read_card(out / 'default.yaml')
    assert [(item.id, item.thing, item.roles) for item in card.classes] == [
        (0, False, ('traversable',)), (3, True, ('graspable',)),
    ]
    assert card.input.size == (64, 96)
    assert compile_model(out / 'default.onnx', card).graph.input[0].name == 'image'
    assert (out / 'weights.npz').is_file()


@pytest.mark.parametrize('option', ['--size', '--crop'])
def test_a_size_that_the_network_cannot_halve_is_refused(folder, option):
    with pytest.raises(SettingError, match='multiples of 32'):
        train.run(options('--data', str(folder), '-o', str(folder), option, '60', '96'))


def test_fewer_than_no_workers_are_refused(folder):
    with pytest.raises(SettingError, match='0 or more'):
        train.run(options('--data', str(folder), '-o', str(folder), '--workers', '-1'))
