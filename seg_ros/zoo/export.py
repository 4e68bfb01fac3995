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

"""A named architecture as an ONNX file, with its card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
import os
from typing import Any
import warnings

import onnx
from seg_ros.core.card import ModelCard, Task
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import SettingError
from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.clean_onnx import folded, without_doubles

OPSET = 17
INPUT = 'images'
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)    # of ImageNet


@dataclass(frozen=True, eq=False)
class ExportedNetwork:
    """
    A network as PyTorch runs it and as ONNX.

    :param network: a torch module in evaluation.
    :param parameters: how many numbers were learnt.
    """

    network: Any
    model: onnx.ModelProto
    parameters: int


def build_network(request: NetworkRequest) -> Any:
    """
    Build the network with its weights, in evaluation.

    :returns: a torch module from normalised images (1, 3, H, W) to its raw outputs.
    :raises SettingError: if a package is missing, or the library refuses the encoder.
    :raises ModelError: if the weights do not fit.
    """
    packages = ('torch', *request.architecture.packages)
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise SettingError(
            f'{request.name} without {", ".join(missing)}', ', '.join(packages),
            'pip install "seg_ros[zoo]"',
        )
    # Its libraries must not look for weights in the network.
    os.environ.setdefault('HF_HUB_OFFLINE', '1')
    module = import_module(f'seg_ros.zoo.networks.{request.architecture.module}')
    try:
        network = module.build(request)
    except (
        KeyError, ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError
    ) as error:
        raise SettingError(
            f'{request.name} with encoder {request.chosen_encoder or "none"}: {error}',
            'an encoder and options that it has',
        ) from error
    if request.weights:
        from seg_ros.zoo.weights import load_weights

        load_weights(network, request.weights)
    return network.eval()


def export_network(network: Any, request: NetworkRequest) -> ExportedNetwork:
    """
    Write a network as ONNX of fixed shapes, opset 17: one image in, its raw outputs out.

    Outputs bear the names in the network's `output_names`; a lone output is called `scores`. A
    network with `prompt_names` has inputs of those names beside the image.

    :param network: traced before it is exported where it has `traced_first`.
    """
    import torch

    data = BytesIO()
    prompt_names = list(getattr(network, 'prompt_names', ()))
    example = (torch.zeros(1, 3, *request.size_hw),)
    if prompt_names:
        example += network.inputs_from_boxes(torch.zeros(network.prompts, 4))
    with warnings.catch_warnings(), torch.no_grad():
        # PyTorch would rather have its newer exporter used, which writes no opset below 18.
        warnings.simplefilter('ignore')
        traced = network
        if getattr(network, 'traced_first', False):
            traced = torch.jit.trace(network, example, check_trace=False)
        torch.onnx.export(
            traced, example, data, opset_version=OPSET, input_names=[INPUT, *prompt_names],
            output_names=list(getattr(network, 'output_names', ('scores',))), dynamo=False,
        )
    model = folded(without_doubles(onnx.load_model_from_string(data.getvalue())))
    onnx.checker.check_model(model)
    count = sum(weight.numel() for weight in network.parameters())
    return ExportedNetwork(network, model, count)


def make_card(
    request: NetworkRequest, classes: Sequence[Mapping[str, Any]], task: Task | None = None
) -> ModelCard:
    """
    Describe a network of the zoo.

    :param classes: `id`, `name` and whatever else a card's classes have, in the network's order.
    :param task: one of those that the architecture can be read for; None = its own.
    :raises CardError: if the classes contradict each other.
    """
    settled = dict(request.architecture.card)
    if request.architecture.task == 'semantic':
        # Scores of few or random weights may all lie between 0 and 1.
        settled.setdefault('scores', 'logits')
    task = task or request.architecture.task
    if task == 'semantic':
        settled.pop('thresholds', None)     # of instances
    spec = {
        'size': list(request.size_hw), 'fit': 'stretch', 'mean': list(MEAN), 'std': list(STD),
        **settled.pop('input', {}),
    }
    source = request.weights.name if request.weights else 'random weights'
    return card_from_dict({
        'name': request.name, 'task': task,
        'classes': list(classes), 'input': spec, 'source': f'seg_ros export, {source}', **settled,
    })
