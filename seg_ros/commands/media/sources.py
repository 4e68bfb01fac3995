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

"""Sources of images: files, folders, videos and bags."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
import re
from stat import S_ISREG

from seg_ros.commands.media.source_image import ignore_note, Note, Skip, Source, SourceImage
from seg_ros.commands.media.video import Video
from seg_ros.core.errors import ImageError, SegError
from seg_ros.image.brightness_range import BrightnessRange
from seg_ros.image.encodings import frame_from_file
from seg_ros.image.exif_orientation import upright
from seg_ros.image.file_names import IMAGE_SUFFIXES
from seg_ros.image.file_size import is_image, MAGIC_BYTES
from seg_ros.image.several_images import holds_several

# Motion JPEG without a container begins like a JPEG.
VIDEO_SUFFIXES = frozenset({'.mjpeg', '.mjpg'})
BAG_SUFFIXES = frozenset({'.db3', '.mcap'})
PACKED_BAG = re.compile(r'\.(db3|mcap)\.zstd$')
# Recordings that are not supported: first bytes, description, expectation and remedy.
RECORDINGS = {
    b'#ROSBAG V': (
        'a recording of ROS 1', 'one of ROS 2',
        'convert it: pip install rosbags; rosbags-convert --src FILE.bag --dst FOLDER',
    ),
    b'\x89MCAP0\r\n': ('a recording under another name', 'FILE.mcap', 'rename it'),
    b'SQLite format 3\0': ('a recording under another name', 'FILE.db3', 'rename it'),
    b'\x28\xb5\x2f\xfd': (
        'a file compressed with zstd', "a recording's folder with its metadata.yaml",
        'give that, or unpack the file: unzstd FILE',
    ),
}
MAX_BYTES = 1 << 30     # of one image


def open_sources(
    paths: Sequence[Path], topics: Sequence[str], skip: Skip, note: Note = ignore_note,
    brightness: str = 'auto',
) -> list[Source]:
    """
    Open each path according to its content.

    :param topics: image topics to read from bags; by default those of cameras.
    :param skip: called with each path that holds no images.
    :param note: called with the topics of a bag that are read only if they are named.
    :param brightness: `brightness_range` of 16-bit images, for each folder and topic.
    :raises ImageError: if no path holds images.
    """
    sources: list[Source] = []
    for path in paths:
        try:
            sources += _sources_at(path, _Options(topics, note, brightness), skip)
        except ImageError as error:
            skip(str(path), error)
        except (OSError, ValueError) as error:
            skip(str(path), ImageError(f'cannot be read ({error})'))
    if not sources:
        raise ImageError('nothing to read', 'images, videos or rosbag2 recordings')
    return sources


@dataclass(frozen=True)
class _Options:
    topics: Sequence[str]
    note: Note
    brightness: str


def _sources_at(path: Path, options: _Options, skip: Skip) -> list[Source]:
    if not path.exists():
        raise ImageError('there is no such file or folder')
    brightness = BrightnessRange(options.brightness)
    if path.is_dir():
        return _sources_in(path, options, brightness, skip)
    _check_file(path)
    if path.suffix in BAG_SUFFIXES:
        return [_bag_at(path, options)]
    head = _head(path, max(map(len, RECORDINGS)))
    for magic, explanation in RECORDINGS.items():
        if head.startswith(magic):
            raise ImageError(*explanation)
    if _is_image(path):
        return [ImageFile(path, brightness, options.note)]
    return [Video(path)]


def _sources_in(
    folder: Path, options: _Options, brightness: BrightnessRange, skip: Skip
) -> list[Source]:
    """Return a folder's content: a recording, its files without metadata, or images."""
    if (folder / 'metadata.yaml').is_file():
        return [_bag_at(folder, options)]
    items = sorted(folder.iterdir())
    recordings = [
        item for item in items
        if item.suffix.lower() in BAG_SUFFIXES or PACKED_BAG.search(item.name)
    ]
    files: list[Source] = []
    for item in sorted(recordings, key=_number_in):
        with _skipping(item, skip):
            files += _sources_at(item, options, skip)
    if recordings:
        return files
    for item in items:
        with _skipping(item, skip):
            if not item.is_dir() and _is_image(item):
                files.append(ImageFile(item, brightness, options.note))
    if not files:
        raise ImageError(
            'a folder without images and without metadata.yaml',
            'images or a rosbag2 recording in it',
        )
    return files


@contextmanager
def _skipping(path: Path, skip: Skip) -> Iterator[None]:
    """Skip a file that cannot be read."""
    try:
        yield
    except ImageError as error:
        skip(str(path), error)
    except OSError as error:
        skip(str(path), ImageError(f'cannot be read ({error.strerror})'))


def _number_in(path: Path) -> tuple[int, str]:
    """Return a sort key for the files of a split recording: _2.db3 before _10.db3."""
    number = re.search(r'([0-9]+)\.', path.name)
    return int(number[1]) if number else 0, path.name


def _bag_at(path: Path, options: _Options) -> Source:
    try:
        from seg_ros.commands.media.bag import Bag
    except ImportError as error:
        raise SegError(
            f'{path} is a recording, and rosbags cannot be imported ({error})',
            do='pip install rosbags',
        ) from error
    return Bag(path, options.topics, options.note, options.brightness)


def _is_image(path: Path) -> bool:
    """
    Recognise images by their suffix, or else by their first bytes.

    :raises ImageError: if it has an image's suffix, but is a pipe, a device or a socket.
    """
    if path.suffix.lower() in IMAGE_SUFFIXES:
        _check_file(path)
        return True
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return False
    return S_ISREG(_mode(path)) and is_image(_head(path, MAGIC_BYTES))


def _head(path: Path, size: int) -> bytes:
    with path.open('rb') as file:
        return file.read(size)


def _check_file(path: Path) -> None:
    mode = _mode(path)
    if mode and not S_ISREG(mode):
        raise ImageError('a pipe, a device or a socket', 'a file')


def _mode(path: Path) -> int:
    """Return the type and mode of a path's target; 0 if there is none."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0


class ImageFile:
    """
    One image in a file, rotated by its EXIF orientation.

    :param brightness: of the camera that took it.
    :param note: called if the file holds further images, which are not read.
    """

    storage = ''
    rate_hz = 0.0

    def __init__(self, path: Path, brightness: BrightnessRange, note: Note = ignore_note) -> None:
        self._path = path
        self._brightness = brightness
        self._note = note

    def __len__(self) -> int:
        return 1

    def images(self, skip: Skip) -> Iterator[SourceImage]:
        """Read the file."""
        with _skipping(self._path, skip):
            size_bytes = self._path.stat().st_size
            if size_bytes > MAX_BYTES:
                raise ImageError(f'a file of {size_bytes} bytes', f'an image of up to {MAX_BYTES}')
            data = self._path.read_bytes()
            frame = upright(frame_from_file(data, brightness=self._brightness), data)
            if holds_several(data):
                self._note(f'{self._path}: only the first of its images is used')
            yield SourceImage(self._path.stem, str(self._path), frame)
