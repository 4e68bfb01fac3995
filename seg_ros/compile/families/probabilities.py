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

"""Numbers that have been through their activation in the network already."""

import numpy as np
from seg_ros.compile.families.strip_output_ops import is_multiple
from seg_ros.compile.network import Network
from spox import Var
import spox.opset.ai.onnx.v17 as op

_ROUNDING = 1e-3    # of half precision
_LEAST = 1e-6


def holds_probabilities(network: Network, tensor: str) -> bool:
    """
    Return whether all that a tensor holds on images lies between 0 and 1.

    Before an activation that is as good as never so: such numbers have both signs. Those that are
    the same throughout show nothing.
    """
    arrays = network.trial(tensor)
    return bool(np.min(arrays) < np.max(arrays)) and not passes_unit(network, tensor)


def passes_unit(network: Network, tensor: str) -> bool:
    """Return whether anything that a tensor holds on images is below 0 or above 1."""
    arrays = network.trial(tensor)
    return bool(np.min(arrays) < -_ROUNDING or np.max(arrays) > 1 + _ROUNDING)


def logits_of(probabilities: Var) -> Var:
    """Return what a sigmoid makes probabilities of; 0 and 1 become nearly so."""
    one = op.const(np.float32(1))
    inner = op.clip(probabilities, op.const(np.float32(_LEAST)), op.const(np.float32(1 - _LEAST)))
    return op.sub(op.log(inner), op.log(op.sub(one, inner)))


def unit_of(network: Network, tensor: str) -> int:
    """
    Return what stands for a probability of 1: 1 or 255, or 0 where a sigmoid is to follow.

    Before an activation numbers have both signs. What has one and is larger than 1 is in bytes.
    """
    arrays = network.trial(tensor)
    if np.min(arrays) < -_ROUNDING:
        return 0
    return 255 if passes_unit(network, tensor) or is_multiple(network, tensor, 255) else 1


def bytes_of(chances: Var) -> Var:
    """Return probabilities from 0 to 1 as uint8, 255 = certain."""
    return op.cast(op.round(op.mul(chances, op.const(np.float32(255)))), to=np.uint8)


def words_of(unit: int) -> str:
    """Say what masks are like that are not from 0 to 1."""
    return {0: ', masks before the sigmoid', 255: ', masks from 0 to 255'}.get(unit, '')


def chances_of(masks: Var, unit: int) -> Var:
    """
    Return probabilities, float32.

    :param unit: as `unit_of` returns it.
    """
    floats = op.cast(masks, to=np.float32)
    if not unit:
        return op.sigmoid(floats)
    shares = op.div(floats, op.const(np.float32(unit)))
    return op.clip(shares, op.const(np.float32(0)), op.const(np.float32(1)))
