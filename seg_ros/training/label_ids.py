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

"""Ids in masks that are no class: how many pixels they have."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.shown import few


def unknown_ids(ids: NDArray[np.generic], known: Sequence[int]) -> dict[int, int]:
    """
    Count the pixels of a map by id, of ids that are no class.

    :param ids: (H, W), unsigned numbers of 16 bits at most.
    """
    counts = np.bincount(ids.ravel())
    counts[[number for number in known if number < len(counts)]] = 0
    return {int(number): int(counts[number]) for number in np.flatnonzero(counts)}


def ids_in_words(pixels_of: Mapping[int, int], pixels: int) -> str:
    """
    Name ids and their shares of all pixels, those of the most first.

    :param pixels_of: their pixels by id.
    :param pixels: of all masks.
    """
    return few([
        f'{number} ({100 * count / pixels:.3g} % of the pixels)'
        for number, count in Counter(pixels_of).most_common()
    ])
