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

import argparse
import json

import numpy as np
import onnx
from onnx import helper, numpy_helper
import pytest
from seg_ros.commands import compile as command
from seg_ros.compile.compiled import load_compiled
from seg_ros.core.errors import CardError, SettingError
import yaml

SIZE_HW = (64, 96)


def write_card(folder, **rest):
    data = {
        'name': 'street', 'task': 'semantic',
        'classes': [{'id': index, 'name': f'class {index}'} for index in range(5)], **rest,
    }
    path = folder / 'card.yaml'
    path.write_text(yaml.safe_dump(data))
    return path


def write_network(folder):
    """Write a convolution of stride 4 with five classes."""
    kernel = np.random.default_rng(0).normal(0, 1, (5, 3, 4, 4)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node('Conv', ['x', 'kernel'], ['out'], strides=[4, 4])], 'street',
        [helper.make_tensor_value_info('x', 1, [1, 3, *SIZE_HW])],
        [helper.make_tensor_value_info('out', 1, None)],
        [numpy_helper.from_array(kernel, 'kernel')],
    )
    path = folder / 'raw.onnx'
    opsets = [helper.make_opsetid('', 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def run_command(*words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def raw(tmp_path):
    return write_network(tmp_path)


def test_the_written_file_is_a_compiled_model(raw, tmp_path, capsys):
    output = tmp_path / 'm.onnx'
    assert run_command(raw, '--card', write_card(tmp_path), '-o', output) == 0
    compiled = load_compiled(output)
    assert compiled.card.name == 'street'
    lines = capsys.readouterr().out.splitlines()
    report = dict(line.split(':', 1) for line in lines if not line.startswith(' '))
    assert report['family'].strip() == 'logits'
    assert report['input'].strip() == 'image uint8 [N, 64, 96, 3] rgb, letterbox'
    assert report['batch'].strip() == 'any'
    assert '  logits float [N, 5, 16, 24]' in lines


def test_json_is_one_object_of_the_figures(raw, tmp_path, capsys):
    output = tmp_path / 'm.onnx'
    run_command(raw, '--card', write_card(tmp_path), '-o', output, '--json')
    figures = json.loads(capsys.readouterr().out)
    assert figures['file'] == str(output)
    assert figures['bytes'] == output.stat().st_size
    assert figures['outputs'][:2] == [
        'logits float [N, 5, 16, 24]', 'labels uint8 [N, 16, 24]'
    ]
    assert (figures['family'], figures['batch']) == ('logits', 'any')


def test_an_unwritable_output_is_refused(raw, tmp_path):
    with pytest.raises(SettingError, match=r'cannot be written .No such file'):
        run_command(raw, '--card', write_card(tmp_path), '-o', tmp_path / 'none' / 'm.onnx')


def test_the_network_and_the_card_are_never_written_over(raw, tmp_path):
    card = write_card(tmp_path)
    before = raw.read_bytes(), card.read_bytes()
    (tmp_path / 'link.onnx').symlink_to(raw)
    for output in (raw, card, tmp_path / 'link.onnx'):
        with pytest.raises(SettingError, match='is the input'):
            run_command(raw, '--card', card, '-o', output)
    assert (raw.read_bytes(), card.read_bytes()) == before


@pytest.mark.parametrize('option', ['--calibrate', '--compare'])
def test_the_images_are_never_written_over(option, raw, tmp_path):
    image = tmp_path / 'a.png'
    image.write_bytes(b'an image')
    words = '--card', write_card(tmp_path), '--precision', 'fp16', '--force', option, image
    with pytest.raises(SettingError, match='is the input'):
        run_command(raw, *words, '-o', image)
    assert image.read_bytes() == b'an image'


def test_weights_beside_the_network_are_never_written_over(raw, tmp_path):
    weights = tmp_path / 'raw.onnx.data'
    onnx.save(
        onnx.load(raw), raw, save_as_external_data=True, location=weights.name, size_threshold=0
    )
    before = weights.read_bytes()
    with pytest.raises(SettingError, match='is the input'):
        run_command(raw, '--card', write_card(tmp_path), '-o', weights)
    assert weights.read_bytes() == before


def test_a_missing_card_is_refused(raw, tmp_path):
    with pytest.raises(CardError, match=r'none\.yaml'):
        run_command(raw, '--card', tmp_path / 'none.yaml', '-o', tmp_path / 'm.onnx')


def test_a_failed_compilation_leaves_no_file(raw, tmp_path):
    output = tmp_path / 'm.onnx'
    with pytest.raises(CardError, match='--card'):
        run_command(raw, '-o', output)
    assert not output.exists()


def test_options_reach_the_graph(raw, tmp_path):
    with pytest.raises(SettingError, match='top_k: 5000'):
        run_command(
            raw, '--card', write_card(tmp_path), '-o', tmp_path / 'm.onnx', '--top-k', '5000'
        )


def test_every_option_is_explained_with_range_and_default():
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    text = ' '.join(parser.format_help().split())
    for option, message in (
        ('--score-floor', '0 to 1, 0.05 if not given'), ('--iou', '0 to 1, 0 if not given'),
        ('--top-k', '1 to 3840, 1000 if not given'),
        ('--max-instances', '1 to 3840, 100 if not given'),
    ):
        assert option in text
        assert message in text
    assert command.EXAMPLE.startswith('seg_ros compile ')
