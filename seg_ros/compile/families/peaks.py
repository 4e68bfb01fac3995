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

"""
Peaks of heatmaps, (N, 1, h, w).

Reference: P. Soille, Morphological Image Analysis, 2nd edition, section 6.3.4, for h-maxima.
"""

from seg_ros.compile.tensor_ops import scalar
from spox import Var
import spox.opset.ai.onnx.v17 as op

# Side, in cells, of the window in which only the highest peak counts: centres of two objects are
# further apart.
_PEAK_WINDOW = 5
# Cells over which a higher centre suppresses a lower one, if centres are chosen by prominence.
_FLOOD_REACH = 8


def local_maxima(heat: Var) -> Var:
    """Mark the highest cell of each window."""
    return op.greater_or_equal(heat, _highest(heat, _PEAK_WINDOW))


def h_maxima(heat: Var, prominence: float) -> Var:
    """
    Mark cells where the heatmap reconstructed from a lowered copy equals that copy.

    The copy is lowered by the prominence. A long object has several peaks on one ridge; only the
    highest of them rises far above it.
    """
    lowered = op.sub(heat, scalar(prominence))
    flood = lowered
    for _ in range(_FLOOD_REACH):
        flood = op.min([_highest(flood, 3), heat])
    return op.greater_or_equal(lowered, flood)


def _highest(heat: Var, window: int) -> Var:
    highest, _ = op.max_pool(heat, kernel_shape=[window] * 2, pads=[window // 2] * 4)
    return highest
