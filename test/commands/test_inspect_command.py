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
from dataclasses import replace
import json

from fakes.promptable_network import saved_promptable
import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import pytest
from seg_ros.cli import main
from seg_ros.commands import inspect as command
from seg_ros.compile import families
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.compile.families.logits import read_logits
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import ModelError
import yaml

CARD = {
    'name': 'street', 'task': 'semantic', 'licence': 'MIT',
    'classes': [
        {'id': 0, 'name': 'road', 'color': [128, 64, 128], 'roles': ['traversable']},
        {'id': 1, 'name': 'car', 'color': [0, 0, 142], 'thing': True, 'roles': ['dynamic']},
        {'id': 2, 'name': 'sky', 'color': [70, 130, 180]},
    ],
}


def write_raw(folder, size_hw=(64, 96), channels=3, operator='Relu', **facts):
    kernel = np.random.default_rng(0).normal(0, 1, (channels, 3, 4, 4)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node('Conv', ['x', 'kernel'], ['scores'], strides=[4, 4]),
            helper.make_node(operator, ['scores'], ['out'], name='last'),
        ], 'street',
        [helper.make_tensor_value_info('x', 1, [1, 3, *size_hw])],
        [helper.make_tensor_value_info('out', 1, [1, channels, 'h', 'w'])],
        [numpy_helper.from_array(kernel, 'kernel')],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8,
        producer_name='pytorch', producer_version='2.0',
    )
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    path = folder / 'raw.onnx'
    onnx.save(model, path)
    return path


def figures_of(capsys, *words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.run(parser.parse_args([*(str(word) for word in words), '--json'])) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def compiled(tmp_path):
    path = tmp_path / 'm.onnx'
    onnx.save(compile_model(write_raw(tmp_path), card_from_dict(CARD)), path)
    return path


def test_a_compiled_file_shows_card_signature_and_classes(compiled, capsys):
    figures = figures_of(capsys, compiled)
    assert figures['kind'] == 'compiled model'
    assert (figures['model'], figures['task'], figures['licence']) == ('street', 'semantic', 'MIT')
    assert figures['outputs'][0] == 'logits float [N, 3, 16, 24]'
    assert figures['source'].startswith('raw.onnx, SHA-256 ')
    assert figures['operators'] == 'supported by TensorRT'
    assert figures['classes'] == [
        '0 road #804080 traversable', '1 car #00008e thing dynamic', '2 sky #4682b4'
    ]


def test_people_get_a_line_for_each_figure(compiled, capsys):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    command.run(parser.parse_args([str(compiled)]))
    lines = capsys.readouterr().out.splitlines()
    assert 'model:          street' in lines
    assert '  1 car #00008e thing dynamic' in lines


def test_a_raw_network_shows_its_type_and_how_it_is_interpreted(tmp_path, capsys):
    figures = figures_of(capsys, write_raw(tmp_path))
    assert figures['kind'] == 'raw network, to be compiled'
    assert (figures['exporter'], figures['opset']) == ('pytorch 2.0', 17)
    assert figures['inputs'] == ['x float [1, 3, 64, 96]']
    assert figures['outputs'] == ['out float [1, 3, h, w]']
    (interpretation,) = figures['readings']
    assert interpretation.startswith('logits (semantic, 3 classes): scores of out at 16x24')
    assert [reason.split(':')[0] for reason in figures['declined']] == [
        'promptable', 'yolo_seg', 'panoptic_centers', 'box_masks', 'image_masks', 'query_masks',
    ]
    assert figures['family'].startswith('needs a card')


def test_with_its_card_a_raw_network_shows_its_family(tmp_path, capsys):
    card = tmp_path / 'card.yaml'
    card.write_text(yaml.safe_dump(CARD))
    figures = figures_of(capsys, write_raw(tmp_path), '--card', card)
    assert figures['family'].startswith('logits (semantic, 3 classes)')


def test_a_card_that_does_not_fit_is_a_figure_too(tmp_path, capsys):
    card = tmp_path / 'card.yaml'
    card.write_text(yaml.safe_dump(CARD))
    figures = figures_of(capsys, write_raw(tmp_path, channels=7), '--card', card)
    assert figures['family'].startswith('none: card street has task semantic and 3 classes')


def test_the_exporters_names_serve_as_a_card(tmp_path, capsys):
    figures = figures_of(capsys, write_raw(tmp_path, names="['cat', 'dog', 'cow']"))
    assert 'task instance and 3 classes' in figures['family']


def test_a_network_of_any_size_asks_for_a_card(tmp_path, capsys):
    figures = figures_of(capsys, write_raw(tmp_path, size_hw=('h', 'w')))
    assert figures['readings'] == []
    assert 'input.size' in figures['declined'][0]


def test_operators_that_would_be_refused_are_reported(tmp_path, capsys):
    figures = figures_of(capsys, write_raw(tmp_path, operator='NonZero'))
    assert [fault.split(':')[0] for fault in figures['operators']] == ['NonZero last']


def test_operators_that_compiling_replaces_are_not_reported(tmp_path, capsys):
    path = write_raw(tmp_path)
    model = onnx.load(path)
    model.graph.node[1].input[0] = 'moved'
    for operator, reads, writes in [
        ('NonZero', ['kernel'], 'listed'), ('CastLike', ['listed', 'kernel'], 'places'),
        ('ReduceMax', ['places'], 'most'), ('Sub', ['scores', 'most'], 'moved'),
    ]:
        options = {'keepdims': 0} if operator == 'ReduceMax' else {}
        node = helper.make_node(operator, reads, [writes], **options)
        model.graph.node.insert(len(model.graph.node) - 1, node)
    onnx.save(model, path)
    figures = figures_of(capsys, path)
    assert figures['operators'] == 'none known to be unsupported by TensorRT'


def test_a_file_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / 'other.onnx'
    path.write_text('hello')
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    with pytest.raises(ModelError, match=r'other\.onnx'):
        command.run(parser.parse_args([str(path)]))


@pytest.mark.parametrize('channels', [1, 3])
def test_a_first_card_is_one_that_the_network_is_compiled_with(tmp_path, capsys, channels):
    path = write_raw(tmp_path, channels=channels)
    assert main(['inspect', str(path), '--first-card']) == 0
    text = capsys.readouterr().out
    card = card_from_dict(yaml.safe_load(text))
    assert (card.name, card.task, card.input.size) == ('raw', 'semantic', (64, 96))
    assert [item.id for item in card.classes] == list(range(channels))
    assert 'logits (semantic' in text
    compiled = compiled_from_model(compile_model(path, card), 'raw')
    assert compiled.card.classes == card.classes


@pytest.mark.parametrize(('shape', 'kind', 'size'), [
    ((1, 1, 64, 96), TensorProto.FLOAT, ()), ((1, 64, 96, 1), TensorProto.FLOAT, ()),
    ((1, 64, 96, 1), TensorProto.UINT8, ()), ((1, 1, 'h', 'w'), TensorProto.FLOAT, (64, 96)),
])
def test_a_first_card_of_a_grey_network_is_grey(tmp_path, capsys, shape, kind, size):
    perm = [0, 3, 1, 2] if shape[3] == 1 else [0, 1, 2, 3]
    graph = helper.make_graph(
        [
            helper.make_node('Cast', ['x'], ['f'], to=TensorProto.FLOAT),
            helper.make_node('Transpose', ['f'], ['t'], perm=perm),
            helper.make_node('Conv', ['t', 'w'], ['out'], kernel_shape=[1, 1]),
        ], 'grey',
        [helper.make_tensor_value_info('x', kind, shape)],
        [helper.make_tensor_value_info('out', TensorProto.FLOAT, None)],
        [helper.make_tensor('w', TensorProto.FLOAT, [3, 1, 1, 1], [1, -1, 0.5])],
    )
    path = tmp_path / 'raw.onnx'
    onnx.save(helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8
    ), path)
    sizes = ['--size', *map(str, size)] if size else []
    assert main(['inspect', str(path), '--first-card', *sizes]) == 0
    card = card_from_dict(yaml.safe_load(capsys.readouterr().out))
    assert (card.input.color, card.input.mean, card.input.std) == ('gray', (0,), (1,))
    assert compiled_from_model(compile_model(path, card), 'raw').signature.channels == 1


def test_a_first_card_names_the_family_where_several_could_read(tmp_path, capsys, monkeypatch):
    def read_alike(network):
        return [replace(item, family='alike') for item in read_logits(network)]

    monkeypatch.setattr(families, 'FAMILIES', {'alike': read_alike, 'logits': read_logits})
    path = write_raw(tmp_path)
    assert main(['inspect', str(path), '--first-card']) == 0
    text = capsys.readouterr().out
    assert card_from_dict(yaml.safe_load(text)).family == 'alike'
    assert '# or semantic: logits' in text


def test_a_compiled_file_has_its_card_already(tmp_path, capsys):
    path = tmp_path / 'compiled.onnx'
    onnx.save(compile_model(write_raw(tmp_path), card_from_dict(CARD)), path)
    assert main(['inspect', str(path), '--first-card']) == 1
    assert 'has its card' in capsys.readouterr().err


def test_without_a_card_compile_says_where_to_find_one(tmp_path, capsys):
    assert main(['compile', str(write_raw(tmp_path)), '-o', str(tmp_path / 'm.onnx')]) == 1
    assert 'inspect --first-card' in capsys.readouterr().err


def test_a_first_card_for_images_of_any_size_needs_one(tmp_path, capsys):
    path = write_raw(tmp_path, size_hw=('height', 'width'))
    assert main(['inspect', str(path), '--first-card']) == 1
    assert '--size HEIGHT WIDTH' in capsys.readouterr().err
    assert main(['inspect', str(path), '--first-card', '--size', '64', '96']) == 0
    card = card_from_dict(yaml.safe_load(capsys.readouterr().out))
    assert card.input.size == (64, 96)
    compile_model(path, card)


def test_a_promptable_model_shows_both_of_its_inputs(tmp_path, capsys):
    figures = figures_of(capsys, saved_promptable(tmp_path))
    assert figures['input'] == 'image uint8 [1, 48, 64, 3] rgb, stretch'
    assert figures['prompts'] == 'prompts float [1, 4, 4]'


@pytest.mark.parametrize(('words', 'said'), [
    (['raw.onnx', '--size', '64', '96'], '--size without --first-card'),
    (['raw.onnx', '--first-card', '--card', 'card.yaml'], '--card with --first-card'),
    (['m.onnx', '--card', 'card.yaml'], '--card with a compiled model'),
])
def test_an_option_that_nothing_would_read_is_refused(words, said, compiled, capsys, monkeypatch):
    monkeypatch.chdir(compiled.parent)
    assert main(['inspect', *words]) == 1
    assert said in capsys.readouterr().err


def test_a_card_or_a_table_of_colors_is_not_printed_as_json(compiled, capsys):
    for form in ('--first-card', '--kimera'):
        with pytest.raises(SystemExit):
            main(['inspect', str(compiled), form, '--json'])
        assert f'--json: not allowed with argument {form}' in capsys.readouterr().err
