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

"""Outputs of the one image alone are read like those of a batch."""

import numpy as np
from onnx import helper, numpy_helper
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.core.errors import ModelError
from tiny_networks import images_of, make_card, network_of_answers, run_model, saved
from yolo_scenes import assert_same, plain_anchors, plain_answer, raw_head, SIZE_HW


def of_one_image(model, operator, constant):
    """Take the first image out of every output, as `[0]` and `squeeze(0)` do."""
    for item in model.graph.output:
        for node in model.graph.node:
            node.output[:] = [f'{name} of all' if name == item.name else name
                              for name in node.output]
        model.graph.node.append(
            helper.make_node(operator, [f'{item.name} of all', 'which'], [item.name])
        )
    model.graph.initializer.append(numpy_helper.from_array(np.array(constant), 'which'))
    return model


def yolo_rows(maps, protos):
    boxes, scores, coefficients = plain_anchors(maps)
    rows = np.concatenate([boxes, scores, coefficients], axis=2).transpose(0, 2, 1)
    return {'output0': rows, 'output1': protos}


def detections(maps, protos):
    boxes, scores, coefficients = plain_anchors(maps)
    return {
        'boxes': boxes, 'scores': scores.max(2), 'labels': scores.argmax(2),
        'masks': coefficients, 'protos': protos,
    }


@pytest.mark.parametrize(('operator', 'constant'), [('Gather', 0), ('Squeeze', [0])])
@pytest.mark.parametrize('outputs', [yolo_rows, detections])
def test_instances_of_the_one_image_alone_are_found(outputs, operator, constant, tmp_path):
    maps, protos = raw_head(3)
    model = of_one_image(
        network_of_answers(outputs(maps, protos), SIZE_HW, fixed=True), operator, constant
    )
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    path = saved(model, tmp_path)
    compiled = compiled_from_model(compile_model(path, make_card(3, 'instance')), path.name)
    assert compiled.card.family == 'yolo_seg'
    found = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    assert_same(found, 0, plain_answer(maps, protos, 1))


def test_another_row_than_the_first_is_no_batch(tmp_path):
    maps, protos = raw_head(3)
    tables = {name: np.stack([table, table], axis=1) for name, table in
              yolo_rows(maps, protos).items()}
    model = network_of_answers(tables, SIZE_HW)
    for item in model.graph.output:
        (node,) = [node for node in model.graph.node if item.name in node.output]
        node.output[0] = f'{item.name} of both'
        model.graph.node.append(helper.make_node(
            'Gather', [f'{item.name} of both', 'second'], [item.name], axis=1
        ))
    model.graph.initializer.append(numpy_helper.from_array(np.array(1), 'second'))
    compiled = compile_model(saved(model, tmp_path), make_card(3, 'instance'))
    found = run_model(compiled, {'image': images_of([1], SIZE_HW)})
    assert_same(found, 0, plain_answer(maps, protos, 1))


def test_what_does_not_run_is_left_to_those_who_say_why(tmp_path):
    model = network_of_answers({'scores': np.zeros((1, 3, 16, 24), np.float32)}, SIZE_HW)
    model = of_one_image(model, 'Gather', 0)
    (node,) = [node for node in model.graph.node if node.output[0] == 'scores of all']
    node.op_type, node.domain = 'Plugin', 'vendor'
    model.opset_import.append(helper.make_opsetid('vendor', 1))
    with pytest.raises(ModelError, match='Plugin'):
        compile_model(saved(model, tmp_path), make_card(3))
