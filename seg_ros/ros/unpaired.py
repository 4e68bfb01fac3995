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

"""Why an image found no depth, in words."""

from seg_ros.temporal.kept_depths import KEPT_S, MOST_BYTES
from seg_ros.temporal.nearest_stamp import Cause, WAIT_S

OTHER_CLOCK_MS = 10_000


def explained(cause: Cause, offset_ms: float, tolerance_ms: float) -> str:
    """
    Say why an image found no depth, and what to do.

    :param offset_ms: of the nearest depth, or by how much depth came after the masks.
    :param tolerance_ms: the parameter depth_tolerance_ms.
    """
    if cause is Cause.MASKS:
        return (
            f'the depth of the image was dropped before its masks came, which take too long: '
            f'depth is kept for {KEPT_S:g} s, and {MOST_BYTES >> 20} MiB of it; take a smaller '
            'network or smaller depth images'
        )
    if cause is Cause.DEPTH:
        return (
            f'depth comes {offset_ms:.0f} ms after the masks of its image, which wait for '
            f'{1000 * WAIT_S:g} ms at most: see to the depth driver, or to what registers depth'
        )
    words = f'no depth within {tolerance_ms:g} ms of the image: offset '
    if abs(offset_ms) >= OTHER_CLOCK_MS:
        return f'{words}{offset_ms / 1000:.0f} s: they have different clocks, or one has no stamps'
    late = ', or depth takes too long' if offset_ms < -1000 * WAIT_S / 2 else ''
    return (
        f'{words}{offset_ms:.0f} ms: the cameras or their clocks are not synchronised{late}; '
        'synchronise them, or raise depth_tolerance_ms'
    )
