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

"""`seg_ros compile --precision`: reduced, compared with fp32, refused where too much is lost."""

import argparse
import json

from compile_run import compile_raw
import cv2
import numpy as np
import onnx
from onnx import helper, numpy_helper
import pytest
from seg_ros.commands import inspect
from seg_ros.commands.model_files import parity
from seg_ros.compile.compiled import load_compiled
from seg_ros.core.errors import ImageError, ModelError, SettingError
import yaml

SIZE_HW = (32, 48)


@pytest.fixture
def raw(tmp_path):
    """Write a network of two convolutions and a card for it."""
    rng = np.random.default_rng(0)
    kernels = {'k1': rng.normal(0, 0.3, (8, 3, 3, 3)), 'k2': rng.normal(0, 1, (3, 8, 1, 1))}
    nodes = [
        helper.make_node('Conv', ['x', 'k1'], ['a'], 'stem', pads=[1, 1, 1, 1]),
        helper.make_node('Relu', ['a'], ['b'], 'relu'),
        helper.make_node('Conv', ['b', 'k2'], ['out'], 'last'),
    ]
    graph = helper.make_graph(
        nodes, 'two', [helper.make_tensor_value_info('x', 1, [1, 3, *SIZE_HW])],
        [helper.make_tensor_value_info('out', 1, None)],
        [numpy_helper.from_array(array.astype(np.float32), name)
         for name, array in kernels.items()],
    )
    opsets = [helper.make_opsetid('', 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / 'raw.onnx')
    (tmp_path / 'card.yaml').write_text(yaml.safe_dump({
        'name': 'two', 'task': 'semantic', 'input': {'fit': 'stretch'},
        'classes': [{'id': index, 'name': f'class {index}'} for index in range(3)],
    }))
    return tmp_path / 'raw.onnx'


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / 'images'
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in range(3):
        coarse = rng.integers(0, 256, (5, 7, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / f'{number}.png'), cv2.resize(coarse, (64, 40)))
    return folder


@pytest.mark.parametrize('precision', ['fp16', 'int8'])
def test_a_reduced_file_carries_its_comparison_with_fp32(raw, images, capsys, precision):
    output = compile_raw(raw, '--precision', precision, '--calibrate', images)
    figures = json.loads(capsys.readouterr().out)
    compiled = load_compiled(output)
    assert compiled.precision == figures['precision'] == precision
    assert dict(compiled.parity) == figures['parity']
    assert figures['parity']['images'] == 3
    assert 0.9 < figures['parity']['pixels'] <= 1


def test_sixteen_bits_without_images_are_written_by_force_and_marked_unmeasured(raw, capsys):
    output = compile_raw(raw, '--precision', 'fp16', '--force')
    assert 'not measured' in json.loads(capsys.readouterr().out)['parity']
    parser = argparse.ArgumentParser()
    inspect.add_arguments(parser)
    assert inspect.run(parser.parse_args([str(output)])) == 0
    assert 'not measured: compile with --calibrate' in capsys.readouterr().out


@pytest.mark.parametrize('words', [['fp16'], ['int8'], ['int8', '--force']])
def test_fewer_bits_without_images_are_refused(raw, words):
    with pytest.raises(SettingError, match=r'without images.*--calibrate'):
        compile_raw(raw, '--precision', *words)


@pytest.mark.parametrize('precision', ['fp16', 'int8'])
def test_images_of_their_own_are_compared_on(raw, images, tmp_path, precision):
    other = tmp_path / 'other'
    other.mkdir()
    (images / '0.png').rename(other / '0.png')
    words = ['--precision', precision, '--calibrate', images, '--compare', other]
    assert load_compiled(compile_raw(raw, *words)).parity['images'] == 1


def test_a_folder_without_images_is_refused(raw, tmp_path):
    with pytest.raises(ImageError, match='nothing to read'):
        compile_raw(raw, '--precision', 'int8', '--calibrate', tmp_path / 'nowhere', tmp_path)


def test_a_file_that_lost_too_much_is_written_only_by_force(raw, images, monkeypatch):
    monkeypatch.setitem(parity.MIN_AGREEMENT['int8'], 'pixels', 1.1)
    words = ['--precision', 'int8', '--calibrate', images]
    with pytest.raises(ModelError, match=r'int8 differs.*pixels .* \(at least 1.1\).*--force'):
        compile_raw(raw, *words)
    assert not (raw.parent / 'out.onnx').exists()
    assert load_compiled(compile_raw(raw, *words, '--force')).parity['pixels'] <= 1


def test_each_task_is_judged_by_its_own_figures():
    figures = {'pixels': 0.5, 'miou': 0.5, 'matched': 1.0, 'mask_iou': 1.0}
    assert parity.shortfalls(figures, 'fp16', 'instance') == []
    assert len(parity.shortfalls(figures, 'fp16', 'semantic')) == 2
    assert len(parity.shortfalls(figures, 'int8', 'panoptic')) == 2


def test_images_are_spread_over_a_long_recording(raw, tmp_path):
    writer = cv2.VideoWriter(
        str(tmp_path / 'long.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48)
    )
    for number in range(200):
        writer.write(np.full((48, 64, 3), number, np.uint8))
    writer.release()
    frames = parity.calibration_frames(
        [tmp_path / 'long.avi'], parity.Progress('compile', 1)
    )
    levels = [int(frame.pixels.mean().round()) for frame in frames]
    assert len(frames) == parity.MAX_IMAGES
    assert levels[-1] - levels[0] > 180
