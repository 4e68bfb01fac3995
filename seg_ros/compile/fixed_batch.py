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

"""Networks that their exporter fixed to a batch of several images."""

import numpy as np
from seg_ros.compile.families.strip_output_ops import own_scores
from seg_ros.compile.network import Network
from seg_ros.core.errors import ModelError


def fixed_outputs(network: Network, batch: int) -> list[str]:
    """
    Return the outputs that one image alone does not give, though a batch gives them.

    What a family would cut off them, such as an enlargement to a fixed number of maps, is no
    obstacle where it runs.

    :param batch: of the exporter, more than 1.
    """
    names = [item.name for item in network.model.graph.output]
    return [name for name in names if _is_fixed(network, name, batch)]


def _is_fixed(network: Network, name: str, batch: int) -> bool:
    images = np.random.default_rng(0).normal(0, 1, network.input_shape(batch))
    images = images.astype(network.dtype)
    try:
        network.answers([name], images)
    except ModelError:
        return False    # runs in no way, such as a runtime's own operators
    try:
        tensor = own_scores(network, name).tensor
        alone = network.answers([tensor], images[:1])[tensor]
    except ModelError:
        return True
    together = network.answers([tensor], images)[tensor]
    if together.shape[:1] != (batch,) or alone.shape == (1, *together.shape[1:]):
        return False
    # What the last image does not change has no axis of the batch, however long its first is.
    images[-1] *= -1
    changed = network.answers([tensor], images)[tensor]
    return not np.array_equal(together, changed, equal_nan=together.dtype.kind == 'f')
