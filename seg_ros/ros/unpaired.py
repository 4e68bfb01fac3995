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

from seg_ros.temporal.nearest_stamp import KEPT_S, WAIT_S

OTHER_CLOCK_MS = 10_000
_SLOW_MS = 500  # an offset from which on something may also be slow


def explained(offset_ms: float, tolerance_ms: float) -> str:
    """
    Say why an image found no depth, and what to do.

    :param offset_ms: of the nearest depth there was.
    :param tolerance_ms: the parameter depth_tolerance_ms.
    """
    words = f'no depth within {tolerance_ms:g} ms of the image: offset '
    if abs(offset_ms) >= OTHER_CLOCK_MS:
        return f'{words}{offset_ms / 1000:.0f} s: they have different clocks, or one has no stamps'
    slow = ''
    if offset_ms < -_SLOW_MS:
        slow = f', or depth comes more than {WAIT_S:g} s after the masks'
    elif offset_ms > _SLOW_MS:
        slow = f', or masks take longer than the {KEPT_S:g} s for which depth is kept'
    return (
        f'{words}{offset_ms:.0f} ms: the cameras or their clocks are not synchronised{slow}; '
        'synchronise them, or raise depth_tolerance_ms'
    )
