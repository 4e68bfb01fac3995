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

"""Exports the trained network as ONNX with half-precision weights, and builds its card."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any
import warnings

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
from seg_ros.core.card import (
    CardThresholds,
    ClassInfo,
    IMAGENET_MEAN,
    IMAGENET_STD,
    InputSpec,
    ModelCard,
)
from seg_ros.training.network import PanopticNetwork
import torch

OPSET = 17
OUTPUTS = ('semantic', 'center', 'offset')
# Tuned with `make_card`'s threshold for people and objects in photographs and renders.
COMPILING = (
    '--prominence', '0.2', '--small-segment', '6', '--score-floor', '0.1',
    '--max-instances', '50',
)
_MIN_HALVED = 64        # elements; smaller tensors stay float32


def onnx_from_network(network: PanopticNetwork, size_hw: tuple[int, int]) -> onnx.ModelProto:
    """
    Export with a fixed input `images` (1, 3, H, W).

    The outputs `semantic`, `center` (before the sigmoid) and `offset` have a quarter of its size.
    Weights are stored as float16 and cast to float32 for the computation.
    """
    data = BytesIO()
    example = torch.zeros(1, 3, *size_hw)
    with warnings.catch_warnings():
        # PyTorch recommends its newer exporter, which cannot write opsets below 18.
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
    Build the card of a network that is compiled with the options `COMPILING`.

    :param categories: classes of the data set, from `checked_categories`.
    :param roles: roles by class name, for classes to which the data set gives none.
    :param licence: of the network; depends on its training data.
    """
    classes = tuple(
        ClassInfo(
            item['id'], item['name'], tuple(item['color']), bool(item['isthing']),
            tuple(item.get('roles') or roles.get(item['name'], ())),
        )
        for item in categories
    )
    spec = InputSpec(size=size_hw, resample='area', mean=IMAGENET_MEAN, std=IMAGENET_STD)
    return ModelCard(
        name, 'panoptic', classes, 'panoptic_centers', spec, CardThresholds(score=0.31),
        licence, 'seg_ros train',
    )


def _halve(graph: onnx.GraphProto) -> None:
    """Store large initializers as float16, each behind a cast to float32."""
    casts = []
    for initializer in graph.initializer:
        array = numpy_helper.to_array(initializer)
        if array.dtype != np.float32 or array.size < _MIN_HALVED:
            continue
        name = initializer.name
        half = f'{name}.half'
        initializer.CopyFrom(numpy_helper.from_array(array.astype(np.float16), half))
        casts.append(helper.make_node('Cast', [half], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
