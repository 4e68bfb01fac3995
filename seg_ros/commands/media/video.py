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

"""The frames of a video file."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from seg_ros.commands.media.source_image import Skip, SourceImage
from seg_ros.core.errors import ImageError
from seg_ros.core.frame import Frame

# FFmpeg takes any bytes with these suffixes for characters, and draws them.
TEXT_SUFFIXES = frozenset({
    '.ans', '.art', '.asc', '.bin', '.diz', '.ice', '.idf', '.nfo', '.txt', '.vt',
})
MIN_VIDEO_SHARE = 0.95  # fraction of the frames; without an index their number is estimated
CLOCK_HZ = 120          # higher rates are often that of the container's clock, as in WebM
LOOKED_AT = 20          # frames from which the rate is then measured


class Video:
    """
    The frames of a video, numbered from 0, with the time since its start as their stamp.

    :raises ImageError: if OpenCV cannot open it.
    """

    storage = ''

    def __init__(self, path: Path) -> None:
        self._path = path
        capture = self._opened()
        self._count = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        announced_hz = capture.get(cv2.CAP_PROP_FPS) or 25.0
        self._duration_ns = round(1e9 / announced_hz * self._count)
        self.rate_hz = announced_hz
        if announced_hz > CLOCK_HZ:
            self.rate_hz = _rate_of_frames(capture) or announced_hz
            self._count = round(self._duration_ns / 1e9 * self.rate_hz)
        capture.release()

    def __len__(self) -> int:
        return self._count

    def images(self, skip: Skip) -> Iterator[SourceImage]:
        """Yield the frames; a truncated video counts as one skipped image."""
        capture = self._opened()
        period_ns = round(1e9 / self.rate_hz)
        number, next_ns, stamp_ns = 0, 0, -1
        while True:
            read, pixels = capture.read()
            if not read:
                break
            at_ns = round(1e6 * capture.get(cv2.CAP_PROP_POS_MSEC))
            # Some formats have no timestamps.
            stamp_ns = at_ns if at_ns > stamp_ns else next_ns
            next_ns = stamp_ns + period_ns
            frame = Frame(np.asarray(pixels, np.uint8), 'bgr', stamp_ns)
            yield SourceImage(f'{self._path.stem}_{number:06}', str(self._path), frame)
            number += 1
        capture.release()
        # The announced count is often the duration times the rate, which may vary.
        least = MIN_VIDEO_SHARE * self._count
        if not number or (number < least and next_ns < MIN_VIDEO_SHARE * self._duration_ns):
            skip(str(self._path), ImageError(
                f'a video that ends after {number} of {self._count} frames', 'a complete file'
            ))

    def _opened(self) -> cv2.VideoCapture:
        try:
            str(self._path).encode()
        except UnicodeEncodeError as error:     # OpenCV would abort
            raise ImageError('a video whose name is not UTF-8', do='rename it') from error
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened() or self._path.suffix.lower() in TEXT_SUFFIXES:
            raise ImageError(
                'neither an image nor a video nor a rosbag2 recording',
                'one that is not damaged',
            )
        return capture


def _rate_of_frames(capture: cv2.VideoCapture) -> float:
    """Return the frame rate at the start of a video; 0 if frames have no timestamps."""
    times_ms: list[float] = []
    while len(times_ms) < LOOKED_AT and capture.grab():
        times_ms.append(capture.get(cv2.CAP_PROP_POS_MSEC))
    step_ms = float(np.median(np.diff(times_ms))) if len(times_ms) > 1 else 0.0
    return 1000 / step_ms if step_ms > 0 else 0.0
