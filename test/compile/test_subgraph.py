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

"""Graphs built with spox, against the order in which their inputs were given."""

import numpy as np
from seg_ros.compile.subgraph import build_subgraph
from spox import argument, Tensor
import spox.opset.ai.onnx.v17 as op


def test_inputs_stay_in_the_order_in_which_they_were_given():
    names = [f'input {letter}' for letter in 'hbfdaceg']
    given = {name: argument(Tensor(np.dtype('f'), (1,))) for name in names}
    model = build_subgraph('sum', given, {'total': op.sum(list(given.values()))}, 17)
    assert [item.name for item in model.graph.input] == names
