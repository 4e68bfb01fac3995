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
import onnx
from onnx import helper
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.core.errors import CardError, ModelError, SettingError
from tiny_networks import (
    colorful_images,
    images_of,
    make_card,
    model_of,
    network_of_answers,
    run_model,
    saved,
)

SIZE_HW, MAP_HW = (32, 48), (8, 12)


def scores_of(count):
    return np.random.default_rng(count).normal(0, 2, (2, count, *MAP_HW)).astype(np.float32)


def rows_and_protos():
    random = np.random.default_rng(0)
    answers = {
        'output0': random.uniform(0, 1, (2, 4 + 3 + 4, 24 + 6 + 2)),
        'output1': random.normal(0, 1, (2, 4, *MAP_HW)),
    }
    return {name: array.astype(np.float32) for name, array in answers.items()}


def compiled_from(model, folder, card, **options):
    path = saved(model, folder)
    return compiled_from_model(compile_model(path, card, **options), path.name)


def batch_of(compiled):
    return compiled.model.graph.input[0].type.tensor_type.shape.dim[0]


def test_the_file_carries_card_contract_and_the_source_it_was_made_from(tmp_path):
    path = saved(network_of_answers({'out': scores_of(5)}, SIZE_HW), tmp_path, 'trained.onnx')
    card = make_card(5, licence='MIT', input={'fit': 'stretch'})
    compiled = compiled_from_model(compile_model(path, card), 'm.onnx')
    assert compiled.card.classes == card.classes
    assert compiled.card.input.fit == 'stretch'
    assert compiled.card.input.size == SIZE_HW
    assert compiled.card.family == 'logits'
    assert compiled.card.licence == 'MIT'
    assert compiled.card.source == 'trained.onnx'
    assert compiled.card.source_sha256 == sha256(path.read_bytes()).hexdigest()
    assert compiled.signature.size_hw == SIZE_HW
    assert compiled.signature.channels == 3


def test_metadata_are_two_json_objects_and_the_notes(tmp_path):
    compiled = compiled_from(
        network_of_answers({'out': scores_of(5)}, SIZE_HW), tmp_path, make_card(5)
    )
    texts = {item.key: json.loads(item.value) for item in compiled.model.metadata_props}
    assert sorted(texts) == ['seg_ros.card', 'seg_ros.notes', 'seg_ros.signature']
    assert texts['seg_ros.signature']['tensors'][:3] == ['logits', 'labels', 'confidence']
    assert texts['seg_ros.card']['name'] == 'tiny'


def test_where_a_card_names_its_source_that_stays(tmp_path):
    card = make_card(5, source='trained by us')
    model = network_of_answers({'out': scores_of(5)}, SIZE_HW)
    assert compiled_from(model, tmp_path, card).card.source == 'trained by us'


def test_names_inside_the_network_may_be_those_of_the_contract(tmp_path):
    answers = scores_of(5)
    model = onnx.compose.add_prefix(network_of_answers({'gits': answers}, SIZE_HW), 'lo')
    model.graph.input[0].name = 'image'
    model.graph.node[0].input[0] = 'image'
    compiled = compiled_from(model, tmp_path, make_card(5))
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    np.testing.assert_array_equal(outputs['logits'], answers[1:])


def test_weights_stay_initializers_under_their_names(tmp_path):
    compiled = compiled_from(
        network_of_answers({'out': scores_of(5)}, SIZE_HW), tmp_path, make_card(5)
    )
    weights = {item.name: item for item in compiled.model.graph.initializer}
    stored = onnx.numpy_helper.to_array(weights['network/out_table'])
    np.testing.assert_array_equal(stored, scores_of(5))


@pytest.mark.parametrize('declared', [1, 'N', 4])
def test_a_network_that_answers_for_each_image_alone_takes_any_batch(declared, tmp_path):
    answers = scores_of(5)
    model = network_of_answers({'out': answers}, SIZE_HW)
    dim = model.graph.input[0].type.tensor_type.shape.dim[0]
    dim.Clear()
    dim.MergeFrom(helper.make_tensor_type_proto(1, [declared]).tensor_type.shape.dim[0])
    compiled = compiled_from(model, tmp_path, make_card(5))
    assert compiled.signature.max_batch == 0
    assert batch_of(compiled).dim_param == 'N'
    outputs = run_model(compiled.model, {'image': images_of([1, 0, 1], SIZE_HW)})
    np.testing.assert_array_equal(outputs['logits'], answers[[1, 0, 1]])


def conv_network(*after, shape=(1, 3, *SIZE_HW), weights=()):
    kernel = np.random.default_rng(3).normal(0, 1, (5, 3, 4, 4)).astype(np.float32)
    return model_of(
        [helper.make_node('Conv', ['x', 'kernel'], ['scores'], strides=[4, 4]), *after],
        [('x', 1, list(shape))], ['out'], {'kernel': kernel, **dict(weights)},
    )


LEAKS = {
    'its graph is fixed to one image': conv_network(
        helper.make_node('Reshape', ['scores', 'shape'], ['out']),
        weights={'shape': np.array([1, 5, *MAP_HW])},
    ),
    "the images of a batch affect one another's outputs": conv_network(
        helper.make_node('ReduceMean', ['scores'], ['mean'], axes=[0, 2, 3]),
        helper.make_node('Sub', ['scores', 'mean'], ['out']),
    ),
    'its outputs are the same for any image': conv_network(
        helper.make_node('Mul', ['scores', 'zero'], ['out']), weights={'zero': np.float32(0)},
    ),
}


@pytest.mark.parametrize('reason', LEAKS)
def test_a_network_that_is_not_proven_to_batch_takes_one_image(reason, tmp_path):
    compiled = compiled_from(LEAKS[reason], tmp_path, make_card(5))
    assert compiled.signature.max_batch == 1
    assert batch_of(compiled).dim_value == 1
    assert any(reason in note for note in compiled.notes)
    images = colorful_images(1, SIZE_HW)
    own = run_model(LEAKS[reason], {'x': images.transpose(0, 3, 1, 2).astype(np.float32)})
    outputs = run_model(compiled.model, {'image': images})
    np.testing.assert_allclose(outputs['logits'], own['out'], rtol=1e-4, atol=1e-3)


def test_a_network_that_answers_with_its_first_image_takes_one(tmp_path):
    model = network_of_answers({'out': scores_of(5)}, SIZE_HW, fixed=True)
    assert compiled_from(model, tmp_path, make_card(5)).signature.max_batch == 1


def test_a_network_of_any_size_takes_the_cards(tmp_path):
    model = conv_network(
        helper.make_node('Identity', ['scores'], ['out']), shape=('n', 3, 'h', 'w')
    )
    compiled = compiled_from(model, tmp_path, make_card(5, input={'size': [16, 24]}))
    assert compiled.signature.size_hw == (16, 24)
    outputs = run_model(compiled.model, {'image': colorful_images(2, (16, 24))})
    assert outputs['logits'].shape == (2, 5, 4, 6)


def test_a_grey_network_takes_one_channel(tmp_path):
    kernel = np.ones((5, 1, 4, 4), np.float32)
    model = model_of(
        [helper.make_node('Conv', ['x', 'kernel'], ['out'], strides=[4, 4])],
        [('x', 1, [1, 1, *SIZE_HW])], ['out'], {'kernel': kernel},
    )
    compiled = compiled_from(model, tmp_path, make_card(5, input={'color': 'gray'}))
    assert compiled.signature.channels == 1
    images = colorful_images(2, SIZE_HW, channels=1)
    sums = images.reshape(2, 8, 4, 12, 4).sum((2, 4))
    outputs = run_model(compiled.model, {'image': images})
    np.testing.assert_allclose(outputs['logits'][:, 3], sums, rtol=1e-5)


@pytest.mark.parametrize('opset', [11, 13, 18, 20])
def test_other_opsets_than_17_compile_alike(opset, tmp_path):
    answers = rows_and_protos()
    model = network_of_answers(answers, SIZE_HW)
    if opset > 17:
        model = onnx.version_converter.convert_version(model, opset)
    model.opset_import[0].version = opset
    compiled = compiled_from(model, tmp_path, make_card(3, 'instance'))
    assert compiled.model.opset_import[0].version == max(17, opset)
    outputs = run_model(compiled.model, {'image': images_of([1, 0], SIZE_HW)})
    for index, answer in enumerate([1, 0]):
        scores = answers['output0'][answer, 4:7].max(0)
        assert outputs['scores'][index].max() == scores.max()
        assert set(outputs['scores'][index]) <= {0, *scores}


def test_a_network_with_its_own_suppression_is_refused_with_what_to_do(tmp_path):
    model = conv_network(helper.make_node('Identity', ['scores'], ['out']))
    model.graph.node.append(helper.make_node(
        'NonMaxSuppression', ['boxes', 'scores3'], ['chosen'], name='/nms/Suppress'
    ))
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info('chosen', 7, None))
    with pytest.raises(ModelError, match=r'NonMaxSuppression /nms/Suppress.*nms=False'):
        compiled_from(model, tmp_path, make_card(5))


def test_types_that_tensorrt_lacks_are_refused_by_node(tmp_path):
    model = conv_network(
        helper.make_node('Cast', ['scores'], ['short'], to=5, name='cast: to_short'),
        helper.make_node('Cast', ['short'], ['out'], to=1, name='cast: to_float'),
        helper.make_node('Relu', ['out'], ['positive']),
    )
    model.graph.output[0].name = 'positive'
    with pytest.raises(ModelError, match=r'cast: to_short \(and 1 more\): type int16; use int32'):
        compiled_from(model, tmp_path, make_card(5))


def test_a_compiled_file_is_not_compiled_again(tmp_path):
    compiled = compiled_from(
        network_of_answers({'out': scores_of(5)}, SIZE_HW), tmp_path, make_card(5)
    )
    with pytest.raises(ModelError, match=r'again.onnx is compiled already'):
        compile_model(saved(compiled.model, tmp_path, 'again.onnx'), make_card(5))


def test_without_a_card_and_metadata_a_card_is_asked_for(tmp_path):
    model = network_of_answers({'out': scores_of(5)}, SIZE_HW)
    with pytest.raises(CardError, match=r'--card CARD.yaml'):
        compiled_from(model, tmp_path, None)


def test_the_exporters_names_stand_in_for_a_card(tmp_path):
    model = network_of_answers(rows_and_protos(), SIZE_HW)
    model.metadata_props.add(key='names', value="{0: 'cat', 1: 'dog', 2: 'cow'}")
    compiled = compiled_from(model, tmp_path, None)
    assert [item.name for item in compiled.card.classes] == ['cat', 'dog', 'cow']
    assert compiled.card.task == 'instance'
    assert compiled.card.name == 'raw'


def test_a_panoptic_card_is_refused_with_what_the_network_gives(tmp_path):
    model = network_of_answers({'out': scores_of(5)}, SIZE_HW)
    with pytest.raises(CardError, match=r'task panoptic.*semantic'):
        compiled_from(model, tmp_path, make_card(5, 'panoptic'))


def test_a_card_whose_threshold_lies_below_the_floor_is_refused(tmp_path):
    model = network_of_answers(rows_and_protos(), SIZE_HW)
    card = make_card(3, 'instance', thresholds={'score': 0.1})
    with pytest.raises(CardError, match=r'0.1 lies below the score floor 0.3'):
        compiled_from(model, tmp_path, card, score_floor=0.3)


@pytest.mark.parametrize(
    'option', [{'score_floor': 1.5}, {'iou': -0.1}, {'top_k': 3841}, {'max_instances': 0}]
)
def test_options_out_of_their_range_are_refused_by_name(option, tmp_path):
    (name,) = option
    model = network_of_answers({'out': scores_of(5)}, SIZE_HW)
    with pytest.raises(SettingError, match=name):
        compiled_from(model, tmp_path, make_card(5), **option)
