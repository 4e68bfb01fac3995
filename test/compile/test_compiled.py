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

from hashlib import sha256
import json

import numpy as np
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import load_compiled
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.errors import ModelError
from tiny_networks import make_card, network_of_answers, saved

SIZE_HW = (32, 48)


@pytest.fixture
def model(tmp_path):
    scores = np.random.default_rng(0).normal(0, 1, (2, 3, 8, 12)).astype(np.float32)
    raw = saved(network_of_answers({'out': scores}, SIZE_HW), tmp_path, 'raw.onnx')
    card = make_card(
        3, licence='MIT', input={'mean': [1, 2, 3], 'std': 2, 'pad': 0, 'align': 'top_left'},
        thresholds={'visible': 0.25},
        classes=[
            {'id': 7, 'name': 'floor', 'color': [1, 2, 3], 'roles': ['traversable']},
            {'id': 300, 'name': 'wall'}, {'id': 0, 'name': 'person', 'thing': True},
        ],
    )
    return compile_model(raw, card)


def set_metadata(model, key, change):
    (item,) = (item for item in model.metadata_props if item.key == key)
    data = json.loads(item.value)
    change(data)
    item.value = json.dumps(data)


def test_a_compiled_file_is_read_back_whole(model, tmp_path):
    path = saved(model, tmp_path, 'm.onnx')
    compiled = read_compiled(path)
    assert compiled.sha256 == sha256(path.read_bytes()).hexdigest()
    assert load_compiled(path).model == model
    card = compiled.card
    assert [(item.id, item.name, item.thing, item.roles) for item in card.classes] == [
        (7, 'floor', False, ('traversable',)), (300, 'wall', False, ()), (0, 'person', True, ()),
    ]
    assert card.classes[0].color == (1, 2, 3)
    assert (card.input.mean, card.input.std) == ((1, 2, 3), (2,))
    assert (card.input.pad, card.input.align, card.input.size) == (0, 'top_left', SIZE_HW)
    assert (card.licence, card.thresholds.visible) == ('MIT', 0.25)
    assert compiled.signature.size_hw == SIZE_HW
    assert compiled.signature.tensors[0] == 'logits'
    assert any('logits' in note for note in compiled.metadata.notes)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r'none.onnx cannot be read'):
        read_compiled(tmp_path / 'none.onnx')


def test_a_truncated_file_is_refused(model, tmp_path):
    path = tmp_path / 'short.onnx'
    path.write_bytes(model.SerializeToString()[:-40])
    with pytest.raises(ModelError, match=r'short.onnx'):
        read_compiled(path)


def test_a_raw_network_is_refused_with_the_command_to_run(model, tmp_path):
    with pytest.raises(ModelError, match=r'raw.onnx is an exported.*seg_ros compile raw.onnx'):
        read_compiled(tmp_path / 'raw.onnx')


@pytest.mark.parametrize(
    ('key', 'change'),
    [
        ('seg_ros.signature', lambda data: data.update(new_key=1)),
        ('seg_ros.signature', lambda data: data.pop('size_hw')),
        ('seg_ros.card', lambda data: data.update(new_key=1)),
        ('seg_ros.card', lambda data: data.pop('classes')),
        ('seg_ros.card', lambda data: data.update(task='other')),
        ('seg_ros.card', lambda data: data['input'].update(scale=float('inf'))),
        ('seg_ros.card', lambda data: data['input'].update(std=[float('nan')])),
        ('seg_ros.card', lambda data: data['input'].update(mean=10**400)),
        ('seg_ros.card', lambda data: data['input'].update(size=[10**6, 10**6])),
        ('seg_ros.signature', lambda data: data.update(size_hw=[10**9, 10**9])),
        ('seg_ros.signature', lambda data: data.update(max_instances=10**12)),
        ('seg_ros.signature', lambda data: data.update(score_floor=float('nan'))),
        ('seg_ros.signature', lambda data: data.update(upsampling='upwards')),
        ('seg_ros.signature', lambda data: data.update(enlarged=3)),
    ],
)
def test_metadata_of_another_version_are_refused(key, change, model, tmp_path):
    set_metadata(model, key, change)
    with pytest.raises(ModelError, match='compile it again with this version') as error:
        read_compiled(saved(model, tmp_path, 'm.onnx'))
    assert type(error.value) is ModelError


def test_metadata_that_are_no_json_are_refused(model, tmp_path):
    for item in model.metadata_props:
        item.value = 'name: tiny'
    with pytest.raises(ModelError, match='compile it again'):
        read_compiled(saved(model, tmp_path, 'm.onnx'))


def test_a_signature_without_a_card_is_refused(model, tmp_path):
    kept = [item for item in model.metadata_props if item.key != 'seg_ros.card']
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    with pytest.raises(ModelError, match=r'seg_ros.card.*compile it again'):
        read_compiled(saved(model, tmp_path, 'm.onnx'))


@pytest.mark.parametrize('text', ['[' * 100_000, '{"a":' * 100_000, '{"size_hw": 1' + '0' * 5000])
@pytest.mark.parametrize('key', ['seg_ros.card', 'seg_ros.signature', 'seg_ros.notes'])
def test_json_that_no_reader_survives_is_refused_as_any_other(key, text, model, tmp_path):
    (item,) = (item for item in model.metadata_props if item.key == key)
    item.value = text
    with pytest.raises(ModelError, match='compile it again'):
        read_compiled(saved(model, tmp_path, 'm.onnx'))


def test_a_file_of_an_earlier_version_says_so(model, tmp_path):
    for item in model.metadata_props:
        item.key = item.key.replace('signature', 'contract')
    with pytest.raises(ModelError, match='compiled by an earlier version'):
        read_compiled(saved(model, tmp_path, 'm.onnx'))


def test_a_file_that_changes_while_it_is_loaded_is_refused(model, tmp_path):
    path = saved(model, tmp_path, 'm.onnx')
    compiled = read_compiled(path)
    assert len(compiled.sha256) == 64
    path.write_bytes(path.read_bytes() + b'\0')
    with pytest.raises(ModelError, match='changed while it was read'):
        compiled.graph_of(['logits'])
