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

"""Counts the pixels of masks whose ids are not a class."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.shown import few


def unknown_ids(ids: NDArray[np.generic], known: Sequence[int]) -> dict[int, int]:
    """
    Count the pixels of each id in a map that is not a class.

    :param ids: (H, W), unsigned integers of 16 bits at most.
    """
    counts = np.bincount(ids.ravel())
    counts[[number for number in known if number < len(counts)]] = 0
    return {int(number): int(counts[number]) for number in np.flatnonzero(counts)}


def text_from_ids(pixels_of: Mapping[int, int], pixels: int) -> str:
    """
    List ids with their percentage of all pixels, most frequent first.

    :param pixels_of: pixel count by id.
    :param pixels: pixel count of all masks.
    """
    return few([
        f'{number} ({100 * count / pixels:.3g} % of the pixels)'
        for number, count in Counter(pixels_of).most_common()
    ])
