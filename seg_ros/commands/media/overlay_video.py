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

"""A video of overlays."""

from pathlib import Path
from tempfile import gettempdir, TemporaryDirectory
from types import TracebackType

import cv2
from seg_ros.commands.media.source_image import SourceImage
from seg_ros.commands.output_file import write_file
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import ImageError, SettingError
from seg_ros.core.segmentation import Segmentation
from seg_ros.masks.overlay import draw_overlay


class OverlayVideo:
    """
    A sink of overlays, which writes one MPEG-4 file at its exit, complete or not at all.

    :param rate_hz: frames per second.
    """

    def __init__(self, path: Path, rate_hz: float, card: ModelCard, alpha: float) -> None:
        self._path, self._rate_hz = path, rate_hz
        self._card, self._alpha = card, alpha
        self._folder = _temporary_folder()
        self._part = Path(self._folder.name) / 'overlay.mp4'
        self._writer = cv2.VideoWriter()
        self._frames = 0

    def __enter__(self) -> 'OverlayVideo':
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """
        Write the file, also if the run ends early.

        :raises ImageError: if OpenCV could not write the video; all else is written by then.
        :raises SettingError: if it cannot be written to disk.
        """
        opened = self._writer.isOpened()
        self._writer.release()
        with self._folder:
            # On a full disk OpenCV only warns.
            if opened and _count_frames(self._part) == self._frames:
                write_file(self._path, self._part.read_bytes())
            elif self._frames and error is None:
                raise self._failure(opened)

    def _failure(self, opened: bool) -> ImageError | SettingError:
        if opened:
            return SettingError(
                f'{self._path.name} is not written: {gettempdir()} did not hold all of its '
                f'{self._frames} frames', 'space for the video there',
                'free some, or set TMPDIR to another folder',
            )
        return ImageError(
            f'{self._path.name}: OpenCV {cv2.__version__} cannot write MPEG-4 video',
            'an OpenCV with FFmpeg, such as opencv-python from pip',
        )

    def write(self, name: str, image: SourceImage, segmentation: Segmentation) -> None:
        """Add one frame; all have the size of the first."""
        self._frames += 1
        overlay = draw_overlay(image.frame, segmentation, self._card, self._alpha)
        if not self._writer.isOpened():
            size_wh = overlay.shape[1], overlay.shape[0]
            code = cv2.VideoWriter.fourcc(*'mp4v')
            self._writer.open(str(self._part), code, self._rate_hz, size_wh)
        self._writer.write(cv2.cvtColor(overlay, cv2.COLOR_RGB2BGR))


def _temporary_folder() -> 'TemporaryDirectory[str]':
    """Create a folder for OpenCV, which needs a UTF-8 path, while --out may be anything."""
    try:
        return TemporaryDirectory(prefix='seg_ros_')
    except OSError as error:
        raise SettingError(
            f'no temporary folder for the video of overlays ({error.strerror})',
            'a writable one', 'set TMPDIR to it',
        ) from error


def _count_frames(path: Path) -> int:
    video = cv2.VideoCapture(str(path))
    count = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 0
    video.release()
    return count
