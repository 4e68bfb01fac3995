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

"""Folds nodes that depend only on weights and the image size into constants."""

from dataclasses import replace

from onnx import numpy_helper
from seg_ros.compile.graph import inputs_of, with_nodes
from seg_ros.compile.network import Network
from seg_ros.compile.operators import refused_alone
from seg_ros.core.errors import ModelError


def with_constants_folded(network: Network) -> Network:
    """
    Fold nodes that TensorRT rejects, and Resize nodes, if they do not depend on pixels.

    Vision transformers resize their position embedding to the image size with a cubic Resize.
    If a node cannot run here, such as another runtime's operator, none is folded; a later check
    rejects it by name.
    """
    nodes = [
        node for node in network.model.graph.node
        if (refused_alone(node) or node.op_type == 'Resize')
        and not network.sees_pixels(inputs_of(node))
    ]
    if not nodes:
        return network
    results = {name for node in nodes for name in node.output if name}
    try:
        folded = [
            numpy_helper.from_array(network.trial_values(name)[0], name)
            for name in sorted(results)
        ]
    except ModelError:
        return network
    kept = [
        node for node in network.model.graph.node if not results.intersection(node.output)
    ]
    return replace(network, model=with_nodes(network.model, kept, folded))
