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

"""Detects and converts values that are probabilities already, after an activation."""

import numpy as np
from seg_ros.compile.families.tensor_values import is_multiple
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_ops import scalar
from spox import Var
import spox.opset.ai.onnx.v17 as op

HALF_ROUNDING = 1e-3    # rounding error of half precision
_MIN_PROBABILITY = 1e-6     # lower bound before taking the logarithm


def holds_probabilities(network: Network, tensor: str) -> bool:
    """
    Return whether all values of a tensor on trial images lie between 0 and 1.

    Logits hardly ever do, as they have both signs. Constant values prove nothing.
    """
    arrays = network.trial_values(tensor)
    return bool(np.min(arrays) < np.max(arrays)) and not passes_unit(network, tensor)


def passes_unit(network: Network, tensor: str) -> bool:
    """Return whether any value of a tensor on trial images is below 0 or above 1."""
    arrays = network.trial_values(tensor)
    return bool(np.min(arrays) < -HALF_ROUNDING or np.max(arrays) > 1 + HALF_ROUNDING)


def logits_of(probabilities: Var) -> Var:
    """Return the logits of probabilities, clipped so that they are finite."""
    one = scalar(1)
    inner = op.clip(probabilities, scalar(_MIN_PROBABILITY), scalar(1 - _MIN_PROBABILITY))
    return op.sub(op.log(inner), op.log(op.sub(one, inner)))


def logs_of(probabilities: Var) -> Var:
    """Return the logarithms of probabilities, bounded below so that they are finite."""
    return op.log(op.max([probabilities, scalar(_MIN_PROBABILITY)]))


def logit_levels(logits: Var, steps: int) -> Var:
    """Return the byte values 128 + steps * logit, clipped, still as float32."""
    coded = op.add(op.mul(logits, scalar(steps)), scalar(128))
    return op.clip(op.round(coded), scalar(0), scalar(255))


def unit_of(network: Network, tensor: str) -> int:
    """
    Return the value that stands for a probability of 1: 1 or 255, or 0 if values are logits.

    Logits have both signs. Values without negative ones that exceed 1 are in units of 1/255.
    """
    arrays = network.trial_values(tensor)
    if np.min(arrays) < -HALF_ROUNDING:
        return 0
    return 255 if passes_unit(network, tensor) or is_multiple(network, tensor, 255) else 1


def bytes_from_probabilities(probabilities: Var) -> Var:
    """Return probabilities from 0 to 1 as uint8, 255 for 1."""
    return op.cast(op.round(op.mul(probabilities, scalar(255))), to=np.uint8)


def probabilities_from_masks(masks: Var, unit: int) -> Var:
    """
    Convert masks to probabilities, float32.

    :param unit: see `unit_of`.
    """
    floats = op.cast(masks, to=np.float32)
    if not unit:
        return op.sigmoid(floats)
    shares = op.div(floats, scalar(unit))
    return op.clip(shares, scalar(0), scalar(1))
