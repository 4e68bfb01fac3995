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

"""The trained network as ONNX with half-precision weights, and its card."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any
import warnings

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
from seg_ros.core.card import CardThresholds, ClassInfo, InputSpec, ModelCard
from seg_ros.training.images import MEAN, STD
from seg_ros.training.network import PanopticNetwork
import torch

OPSET = 17
OUTPUTS = ('semantic', 'center', 'offset')
# With these, `make_card`'s threshold finds people and objects best on photographs and renders.
COMPILING = (
    '--prominence', '0.2', '--small-segment', '6', '--score-floor', '0.1',
    '--max-instances', '50',
)
_WORTH_HALVING = 64     # numbers; a bias is left as it is


def onnx_from_network(network: PanopticNetwork, size_hw: tuple[int, int]) -> onnx.ModelProto:
    """
    Export with a fixed input `images` (1, 3, H, W).

    The outputs `semantic`, `center` (before the sigmoid) and `offset` have a quarter of its size.
    Weights are stored in half precision and computed with in single precision.
    """
    data = BytesIO()
    example = torch.zeros(1, 3, *size_hw)
    with warnings.catch_warnings():
        # PyTorch would rather have its newer exporter used, which writes no opset below 18.
        warnings.simplefilter('ignore', DeprecationWarning)
        torch.onnx.export(
            network.eval(), (example,), data, opset_version=OPSET, input_names=['images'],
            output_names=list(OUTPUTS), dynamo=False,
        )
    model = onnx.load_model_from_string(data.getvalue())
    _halve(model.graph)
    onnx.checker.check_model(model)
    return model


def make_card(
    name: str, categories: Sequence[dict[str, Any]], roles: Mapping[str, tuple[str, ...]],
    size_hw: tuple[int, int], licence: str = '',
) -> ModelCard:
    """
    Describe the network, as compiled with the options `COMPILING`.

    :param categories: of the data set, of `checked_categories`.
    :param roles: of the classes by name, where the data set gives none.
    :param licence: of the network, which depends on what it was trained on.
    """
    classes = tuple(
        ClassInfo(
            item['id'], item['name'], tuple(item['color']), bool(item['isthing']),
            tuple(item.get('roles') or roles.get(item['name'], ())),
        )
        for item in categories
    )
    spec = InputSpec(size=size_hw, resample='area', mean=MEAN, std=STD)
    return ModelCard(
        name, 'panoptic', classes, 'panoptic_centers', spec, CardThresholds(score=0.31),
        licence, 'seg_ros train',
    )


def _halve(graph: onnx.GraphProto) -> None:
    """Store large initializers as float16, each behind a cast to float32."""
    casts = []
    for initializer in graph.initializer:
        array = numpy_helper.to_array(initializer)
        if array.dtype != np.float32 or array.size < _WORTH_HALVING:
            continue
        name = initializer.name
        half = f'{name}.half'
        initializer.CopyFrom(numpy_helper.from_array(array.astype(np.float16), half))
        casts.append(helper.make_node('Cast', [half], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
