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

"""Which of the rows that a network gives for its queries are class scores, and which boxes."""

from collections.abc import Sequence
import re

import numpy as np
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo

_ROUNDING = 1e-3    # of half precision
_MOST_SHARE = 2     # boxes in shares of the image reach hardly beyond 1
_NAMES = re.compile('box|det')


def scores_beside_boxes(
    network: Network, rows: Sequence[TensorInfo]
) -> list[tuple[TensorInfo, bool]]:
    """
    Return which rows of queries are class scores, and of each whether there are boxes beside it.

    Where values do not show it, names do, and that boxes have four columns. What stays unclear
    is read in both ways.
    """
    scores = [info for info in rows if not _are_boxes(network, info)]
    if len(scores) < len(rows) or len(rows) == 1:
        return [(info, len(scores) < len(rows)) for info in scores]
    likely = [info for info in rows if info.shape[2] == 4]
    shares = [info for info in likely if _are_shares(network, info)]
    named = [info for info in shares or likely if _NAMES.search(info.name.lower())]
    likely = named or shares or likely
    boxed = [(info, bool(likely)) for info in rows if info not in likely or len(likely) > 1]
    return boxed + [(info, False) for info in likely if not (shares or named)]


def _are_boxes(network: Network, rows: TensorInfo) -> bool:
    """
    Return whether rows (N, K, columns) begin with boxes, as images show it.

    Of corners the second is never before the first, and few lie outside of the image; pixels are
    positive and large. Scores before their activation are neither.
    """
    if rows.shape[2] < 4:
        return False
    found = np.concatenate(network.trial(rows.name))[..., :4].astype(np.float64)
    if found.min() < -found.max() or found.min() == found.max():
        return False
    ordered = (found[..., 2:] >= found[..., :2]).all()
    return bool(ordered or (found.min() >= -_ROUNDING and found.max() > _MOST_SHARE))


def _are_shares(network: Network, rows: TensorInfo) -> bool:
    """Return whether rows could be centres and sizes in shares of the image: none is negative."""
    found = np.concatenate(network.trial(rows.name))
    adds_up = np.allclose(found.sum(axis=-1), 1, atol=0.02)     # as a softmax does
    return bool(found.min() >= -_ROUNDING and not adds_up)
