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

"""Distinguishes class scores from boxes among the rows that a network gives per query."""

from collections.abc import Sequence
import re

import numpy as np
from seg_ros.compile.families.probabilities import HALF_ROUNDING
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo

_MAX_RELATIVE = 2   # coordinates relative to the image size hardly exceed 1
_NAMES = re.compile('box|det')


def scores_and_boxes(
    network: Network, rows: Sequence[TensorInfo]
) -> list[tuple[TensorInfo, bool]]:
    """
    Return the rows that are class scores, each with whether there are boxes besides it.

    If the values do not show it, names decide, and that boxes have four columns. Rows that stay
    unclear are returned for both cases.
    """
    scores = [info for info in rows if not _are_boxes(network, info)]
    if len(scores) < len(rows) or len(rows) == 1:
        return [(info, len(scores) < len(rows)) for info in scores]
    likely = [info for info in rows if info.shape[2] == 4]
    relative = [info for info in likely if _are_relative(network, info)]
    named = [info for info in relative or likely if _NAMES.search(info.name.lower())]
    likely = named or relative or likely
    boxed = [(info, bool(likely)) for info in rows if info not in likely or len(likely) > 1]
    return boxed + [(info, False) for info in likely if not (relative or named)]


def _are_boxes(network: Network, rows: TensorInfo) -> bool:
    """
    Return whether rows (N, K, columns) begin with boxes, by their values on trial images.

    The second corner never precedes the first, and few corners lie outside the image; coordinates
    in pixels are positive and large. Scores before their activation are neither.
    """
    if rows.shape[2] < 4:
        return False
    found = np.concatenate(network.trial_values(rows.name))[..., :4].astype(np.float64)
    if found.min() < -found.max() or found.min() == found.max():
        return False
    ordered = (found[..., 2:] >= found[..., :2]).all()
    return bool(ordered or (found.min() >= -HALF_ROUNDING and found.max() > _MAX_RELATIVE))


def _are_relative(network: Network, rows: TensorInfo) -> bool:
    """Return whether rows could be centres and sizes relative to the image: none is negative."""
    found = np.concatenate(network.trial_values(rows.name))
    adds_up = np.allclose(found.sum(axis=-1), 1, atol=0.02)     # as a softmax does
    return bool(found.min() >= -HALF_ROUNDING and not adds_up)
