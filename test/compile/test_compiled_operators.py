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

"""Every compiled graph, whatever its family and outputs, holds only what TensorRT takes."""

import numpy as np
import onnx
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.compile.operators import check_operators
from tiny_networks import make_card, network_of_answers, saved

SIZE_HW, MAP_HW = (64, 96), (16, 24)
ANCHORS = 96 + 24 + 6


def answers_of(*shapes, kind=np.float32):
    random = np.random.default_rng(0)
    return {
        f'output{index}': random.uniform(0, 1, (2, *shape)).astype(kind)
        for index, shape in enumerate(shapes)
    }


PROTOS = (4, *MAP_HW)
CASES = {
    'v5': ('instance', 3, answers_of((3 * ANCHORS, 5 + 3 + 4), PROTOS)),
    'v8': ('instance', 3, answers_of((4 + 3 + 4, ANCHORS), PROTOS)),
    'v8 in half precision': (
        'instance', 3, answers_of((4 + 3 + 4, ANCHORS), PROTOS, kind=np.float16)
    ),
    'end-to-end': ('instance', 3, answers_of((300, 6 + 4), PROTOS)),
    'scores': ('semantic', 5, answers_of((5, *MAP_HW))),
    'scores, channels last': ('semantic', 5, answers_of((*MAP_HW, 5))),
    'scores of many classes': ('semantic', 300, answers_of((300, *MAP_HW))),
    'scores in half precision': ('semantic', 5, answers_of((5, *MAP_HW), kind=np.float16)),
    'one score': ('semantic', 2, answers_of((1, *MAP_HW))),
    'labels': ('semantic', 5, answers_of(MAP_HW, kind=np.int64)),
}


@pytest.mark.parametrize(('opset', 'fixed'), [(17, True), (20, False)])
@pytest.mark.parametrize('name', CASES)
def test_compiled_graphs_hold_only_what_tensorrt_takes(name, fixed, opset, tmp_path):
    task, classes, answers = CASES[name]
    kind = answers['output0'].dtype
    model = network_of_answers(
        answers, SIZE_HW, kind if kind.kind == 'f' else np.float32, fixed=fixed
    )
    path = saved(onnx.version_converter.convert_version(model, opset), tmp_path)
    card = make_card(classes, task, input={'mean': [1, 2, 3], 'std': [4, 5, 6]})
    compiled = compiled_from_model(
        compile_model(path, card, source_sizes=((50, 60),) if task == 'semantic' and
                      name != 'labels' else ()), path.name,
    )
    whole = compiled.model
    onnx.checker.check_model(whole, full_check=True)
    assert check_operators(whole) == []
    assert [item.name for item in whole.graph.input] == ['image']
    assert all(dim.dim_value > 0 for item in whole.graph.output
               for dim in item.type.tensor_type.shape.dim[1:])
