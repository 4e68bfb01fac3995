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

"""Stores trained weights in one small file: half precision, read without pickle."""

from collections.abc import Mapping
from copy import deepcopy
from io import BytesIO
from pathlib import Path

import numpy as np
from seg_ros.core.errors import ModelError
from seg_ros.core.whole_file import write_whole
import torch
from torch import nn, Tensor


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write an NPZ: kernels as float16, vectors as float32."""
    arrays = {
        name: value.detach().cpu().numpy().astype(np.float16 if value.ndim > 1 else np.float32)
        for name, value in weights.items()
    }
    data = BytesIO()
    np.savez_compressed(data, **arrays)
    write_whole(path, data.getvalue())


def read_weights(path: Path, network: nn.Module) -> None:
    """
    Load an NPZ from `write_weights` into a network.

    :raises ModelError: if the file is not such an NPZ, or belongs to another network.
    """
    try:
        with np.load(path) as arrays:
            weights = {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays}
        own = network.state_dict()
        weights = {name: value.reshape(own[name].shape) for name, value in weights.items()}
        network.load_state_dict(weights)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f'{path}: {error}', 'weights that `seg_ros train` wrote') from error


def blend_weights(path: Path, network: nn.Module, fraction: float) -> None:
    """
    Mix the weights of an NPZ into a network's.

    The mean of a network and one fine-tuned from it is often better than either: Wortsman et al.,
    "Model soups" (ICML 2022).

    :param fraction: taken from the NPZ, 0 to 1.
    :raises ModelError: if the file is not such an NPZ, or belongs to another network.
    """
    earlier = deepcopy(network)
    read_weights(path, earlier)
    first = earlier.state_dict()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                value.lerp_(first[name], fraction)
