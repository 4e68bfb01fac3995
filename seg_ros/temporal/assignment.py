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

"""Assignment of rows to columns by affinity: greedy, then improved by pairwise exchanges."""

import numpy as np
from numpy.typing import NDArray


def assign(affinity: NDArray[np.float64], min_affinity: float) -> list[tuple[int, int]]:
    """
    Pair rows with columns, each at most once, so that the sum of affinities is large.

    Pairs are first chosen greedily; then two rows exchange columns as long as the sum grows.
    Unpaired rows and columns take part with an affinity of 0.

    :param affinity: float (N, M).
    :param min_affinity: minimum affinity of a pair.
    :returns: pairs of row and column.
    """
    rows, columns = affinity.shape
    square = np.zeros((max(rows, columns),) * 2)
    square[:rows, :columns] = np.where(affinity >= min_affinity, affinity, 0)
    partner = _best_first(square)
    everyone = np.arange(len(square))
    while square.size:
        swapped = square[:, partner]
        own = swapped.diagonal()
        gain = swapped + swapped.T - own - own[:, None]
        first, second = divmod(int(gain.argmax()), len(square))
        if gain[first, second] < 1e-9:
            break
        partner[[first, second]] = partner[[second, first]]
    paired = everyone[square[everyone, partner] > 0]
    return list(zip(paired.tolist(), partner[paired].tolist(), strict=True))


def _best_first(square: NDArray[np.float64]) -> NDArray[np.intp]:
    """Assign a column to each row of a square matrix, the largest values first."""
    partner = np.full(len(square), -1)
    free = np.ones(len(square), bool)
    rows, columns = np.nonzero(square)
    order = np.argsort(-square[rows, columns], kind='stable')
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if partner[row] < 0 and free[column]:
            partner[row], free[column] = column, False
    partner[partner < 0] = np.flatnonzero(free)
    return partner
