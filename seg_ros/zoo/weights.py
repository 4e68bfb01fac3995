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

"""Loads weights of a network from PyTorch or safetensors files."""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from seg_ros.core.errors import ModelError
import torch
from torch import nn, Tensor

# Keys under which training code stores weights, and prefixes that it adds to their names.
_WRAPPERS = ('state_dict', 'model_state', 'model', 'network')
_PREFIXES = ('', 'module.', 'model.', 'network.')
_LISTED = 4     # missing weights in an error message


def load_weights(network: nn.Module, path: Path) -> None:
    """
    Load every weight of a network.

    Names may have the prefixes that training code adds, and the file may contain more than is
    needed, such as the heads of auxiliary losses.

    :raises ModelError: if the file cannot be read, lacks weights or has them in other shapes.
    """
    found = _read(path)
    own = network.state_dict()
    wrapped = [name.removeprefix('network.') for name in own]
    prefix = max(_PREFIXES, key=lambda word: sum(f'{word}{name}' in found for name in wrapped))
    values = {
        name: found[f'{prefix}{short}']
        for name, short in zip(own, wrapped, strict=True) if f'{prefix}{short}' in found
    }
    missing = [
        name for name in own if name not in values and not name.endswith('num_batches_tracked')
    ]
    if missing:
        raise ModelError(
            f'{path} lacks {len(missing)} of {len(own)} weights, {", ".join(missing[:_LISTED])}',
            'the names of the architecture', 'seg_ros export --help says whose names it reads',
        )
    try:
        network.load_state_dict(values, strict=False)
    except RuntimeError as error:
        raise ModelError(
            f'{path} has weights of other shapes: {str(error).splitlines()[-1].strip()}',
            'the architecture, encoder and number of classes that it was trained with',
        ) from error


def load_encoder(network: nn.Module, path: Path) -> list[str]:
    """
    Load a classifier's weights into the part of a network that has the same names.

    Weights without a counterpart are skipped, such as those of the classifier's last layer.

    :returns: the network's own names of the loaded weights.
    :raises ModelError: if the file cannot be read, or less than half of its weights fit.
    """
    found, own = _read(path), network.state_dict()
    if not any('.features.' in f'.{name}' for name in own):     # absent in feature pyramids
        found = {key.removeprefix('features.'): value for key, value in found.items()}
    places = {
        name[:-len(key)] for key in found for name in own if f'.{name}'.endswith(f'.{key}')
    }
    fitting = {
        place: [key for key, value in found.items()
                if f'{place}{key}' in own and own[f'{place}{key}'].shape == value.shape]
        for place in places
    }
    place = max(fitting, key=lambda word: len(fitting[word]), default='')
    keys = fitting.get(place, [])
    if 2 * len(keys) < len(found):
        raise ModelError(
            f'{path}: {len(keys)} of {len(found)} weights fit the encoder',
            "weights of the architecture's encoder", 'seg_ros export --help names encoders',
        )
    network.load_state_dict({f'{place}{key}': found[key] for key in keys}, strict=False)
    return [f'{place}{key}' for key in keys]


def _read(path: Path) -> Mapping[str, Tensor]:
    try:
        if path.suffix == '.safetensors':
            from safetensors.torch import load_file

            content: Any = load_file(path)
        else:
            content = torch.load(path, map_location='cpu', weights_only=True)
    except (OSError, RuntimeError, ValueError, UnpicklingError, EOFError) as error:
        raise ModelError(
            f'{path} cannot be read: {error}', 'a state_dict, or a file of safetensors'
        ) from error
    for wrapper in _WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if not isinstance(content, dict):
        raise ModelError(f'{path} holds {type(content).__name__}', 'a dictionary of weights')
    return content
