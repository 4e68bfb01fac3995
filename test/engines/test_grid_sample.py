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

"""GridSample written with Gather, against ONNX Runtime's own."""

import numpy as np
import onnx
from onnx import helper
import onnxruntime as ort
import pytest
from seg_ros.core.errors import EngineError
from seg_ros.engines.grid_sample import without_grid_sample

FLOAT = onnx.TensorProto.FLOAT
GRID_SHAPE = (2, 6, 5, 2)


def sampling_model(**attributes):
    graph = helper.make_graph(
        [helper.make_node('GridSample', ['image', 'grid'], ['out'], **attributes)], 'sampling',
        [helper.make_tensor_value_info('image', FLOAT, [2, 3, 9, 7]),
         helper.make_tensor_value_info('grid', FLOAT, GRID_SHAPE)],
        [helper.make_tensor_value_info('out', FLOAT, [2, 3, 6, 5])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)


def run(data, feeds):
    session = ort.InferenceSession(data, providers=['CPUExecutionProvider'])
    return session.run(None, feeds)[0]


@pytest.mark.parametrize('align', [0, 1])
@pytest.mark.parametrize('padding', ['zeros', 'border'])
def test_samples_inside_and_outside_are_those_of_the_operator(align, padding):
    random = np.random.default_rng(0)
    feeds = {
        'image': random.normal(0, 1, (2, 3, 9, 7)).astype(np.float32),
        'grid': random.uniform(-1.4, 1.4, GRID_SHAPE).astype(np.float32),
    }
    data = sampling_model(align_corners=align, padding_mode=padding).SerializeToString()
    rewritten = without_grid_sample(data)
    model = onnx.load_model_from_string(rewritten)
    onnx.checker.check_model(model, full_check=True)
    assert all(node.op_type != 'GridSample' for node in model.graph.node)
    np.testing.assert_allclose(run(rewritten, feeds), run(data, feeds), atol=3e-6)


def test_other_modes_are_refused():
    with pytest.raises(EngineError, match='of mode nearest'):
        without_grid_sample(sampling_model(mode='nearest').SerializeToString())
