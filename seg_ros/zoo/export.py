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

"""Exports a named architecture as ONNX, with its card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
import os
from typing import Any
import warnings

import onnx
from seg_ros.core.card import IMAGENET_MEAN, IMAGENET_STD, ModelCard, Task
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import SettingError
from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.clean_onnx import folded, without_doubles

OPSET = 17
INPUT = 'images'


@dataclass(frozen=True, eq=False)
class ExportedNetwork:
    """
    A network as PyTorch module and as ONNX.

    :param network: torch module in evaluation mode.
    :param parameters: number of parameters.
    """

    network: Any
    model: onnx.ModelProto
    parameters: int


def build_network(request: NetworkRequest) -> Any:
    """
    Build the network with its weights, in evaluation mode.

    :returns: torch module that maps normalised images (1, 3, H, W) to raw outputs.
    :raises SettingError: if a package is missing, or the library rejects the encoder.
    :raises ModelError: if the weights do not fit.
    """
    packages = ('torch', *request.architecture.packages)
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise SettingError(
            f'{request.name} without {", ".join(missing)}', ', '.join(packages),
            'pip install "seg_ros[zoo]"',
        )
    # Keeps the libraries from looking for weights online.
    os.environ.setdefault('HF_HUB_OFFLINE', '1')
    module = _module(request)
    try:
        network = module.build(request)
    except (
        KeyError, ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError
    ) as error:
        raise SettingError(
            f'{request.name} with encoder {request.chosen_encoder or "none"}: {error}',
            'an encoder and options that the architecture has',
        ) from error
    if request.weights:
        from seg_ros.zoo.weights import load_weights

        load_weights(network, request.weights)
    return network.eval()


def export_network(network: Any, request: NetworkRequest) -> ExportedNetwork:
    """
    Convert a network to ONNX with fixed shapes, opset 17: one image in, raw outputs out.

    :param network: from `build_network`, or a wrapper with the same inputs and outputs.
    """
    import torch

    data, architecture = BytesIO(), request.architecture
    example = (torch.zeros(1, 3, *request.size_hw),)
    if architecture.prompts:
        example += _module(request).example_prompts(request)
    with warnings.catch_warnings(), torch.no_grad():
        # PyTorch recommends its newer exporter, which cannot write opsets below 18.
        warnings.simplefilter('ignore')
        traced = network
        if architecture.traced:
            traced = torch.jit.trace(network, example, check_trace=False)
        torch.onnx.export(
            traced, example, data, opset_version=OPSET,
            input_names=[INPUT, *architecture.prompts], output_names=list(architecture.outputs),
            dynamo=False,
        )
    model = folded(without_doubles(onnx.load_model_from_string(data.getvalue())))
    onnx.checker.check_model(model)
    count = sum(weight.numel() for weight in network.parameters())
    return ExportedNetwork(network, model, count)


def make_card(
    request: NetworkRequest, classes: Sequence[Mapping[str, Any]], task: Task | None = None
) -> ModelCard:
    """
    Build the card of a network of the zoo.

    :param classes: `id`, `name` and any other field of a card's classes, in the network's order.
    :param task: one of the architecture's tasks; None for its default.
    :raises CardError: if the classes contradict each other.
    """
    settled = dict(request.architecture.card)
    if request.architecture.task == 'semantic':
        # Logits of small or random networks may all lie between 0 and 1, like probabilities.
        settled.setdefault('scores', 'logits')
    task = task or request.architecture.task
    if task == 'semantic':
        settled.pop('thresholds', None)     # apply to instances only
    spec = {
        'size': list(request.size_hw), 'fit': 'stretch',
        'mean': list(IMAGENET_MEAN), 'std': list(IMAGENET_STD),
        **settled.pop('input', {}),
    }
    source = request.weights.name if request.weights else 'random weights'
    return card_from_dict({
        'name': request.name, 'task': task,
        'classes': list(classes), 'input': spec, 'source': f'seg_ros export, {source}', **settled,
    })


def _module(request: NetworkRequest) -> Any:
    return import_module(f'seg_ros.zoo.networks.{request.architecture.module}')
