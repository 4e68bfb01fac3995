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

"""Detects networks that were exported for a fixed batch of several images."""

import numpy as np
from seg_ros.compile.families.strip_output_ops import own_scores
from seg_ros.compile.network import Network
from seg_ros.core.errors import ModelError


def fixed_outputs(network: Network, batch: int) -> list[str]:
    """
    Return the outputs that can be computed for the fixed batch, but not for a single image.

    Operators that a family strips from an output, such as a resize to a fixed number of maps, do
    not count.

    :param batch: batch size of the export, more than 1.
    """
    names = [item.name for item in network.model.graph.output]
    return [name for name in names if _is_fixed(network, name, batch)]


def _is_fixed(network: Network, name: str, batch: int) -> bool:
    images = np.random.default_rng(0).normal(0, 1, network.input_shape(batch))
    images = images.astype(network.dtype)
    try:
        network.run([name], images)
    except ModelError:
        return False    # does not run at all, such as operators of another runtime
    try:
        tensor = own_scores(network, name).tensor
        alone = network.run([tensor], images[:1])[tensor]
    except ModelError:
        return True
    together = network.run([tensor], images)[tensor]
    if together.shape[:1] != (batch,) or alone.shape == (1, *together.shape[1:]):
        return False
    # An output that the last image does not change has no batch axis, whatever its shape.
    images[-1] *= -1
    changed = network.run([tensor], images)[tensor]
    return not np.array_equal(together, changed, equal_nan=together.dtype.kind == 'f')
