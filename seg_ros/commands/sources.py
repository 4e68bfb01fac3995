"""Where images come from: files, folders, videos and bags, all read one by one."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from seg_ros.commands.source_image import Skip, Source, SourceImage
from seg_ros.core.errors import ImageError, SegError
from seg_ros.core.frame import Frame
from seg_ros.image.encodings import frame_from_file

# What OpenCV reads; in a folder it tells images, damaged ones too, from everything else.
PICTURE_SUFFIXES = frozenset({
    '.avif', '.bmp', '.dib', '.jp2', '.jpe', '.jpeg', '.jpg', '.pbm', '.pgm', '.png', '.pnm',
    '.ppm', '.ras', '.sr', '.tif', '.tiff', '.webp',
})
BAG_SUFFIXES = frozenset({'.db3', '.mcap'})
LEAST_OF_VIDEO = 0.95  # containers without an index announce a rough number of frames


def open_sources(paths: Sequence[Path], topics: Sequence[str], skip: Skip) -> list[Source]:
    """
    Find out what each path is.

    :param topics: image topics to take from bags; none means all.
    :param skip: told of each path that holds no images.
    :raises ImageError: if none holds any.
    """
    sources: list[Source] = []
    for path in paths:
        try:
            sources += _sources_at(path, topics)
        except ImageError as error:
            skip(str(path), error)
    if not sources:
        raise ImageError('nothing to read', 'images, videos or rosbag2 recordings')
    return sources


def _sources_at(path: Path, topics: Sequence[str]) -> list[Source]:
    if not path.exists():
        raise ImageError('there is no such file or folder')
    if path.suffix in BAG_SUFFIXES or (path / 'metadata.yaml').is_file():
        return [_bag_at(path, topics)]
    if path.is_dir():
        files = sorted(item for item in path.iterdir() if _is_image(item))
        if not files:
            raise ImageError(
                'a folder without images and without metadata.yaml',
                'images or a rosbag2 recording in it',
            )
        return [ImageFile(item) for item in files]
    return [ImageFile(path) if _is_image(path) else Video(path)]


def _bag_at(path: Path, topics: Sequence[str]) -> Source:
    try:
        from seg_ros.commands.bag import Bag
    except ImportError as error:
        raise SegError(
            f'{path} is a recording, and rosbags is not installed', do='pip install rosbags'
        ) from error
    return Bag(path, topics)


def _is_image(path: Path) -> bool:
    if path.is_dir():
        return False
    return path.suffix.lower() in PICTURE_SUFFIXES or cv2.haveImageReader(str(path))


class ImageFile:
    """One image in a file."""

    storage = ''

    def __init__(self, path: Path) -> None:
        self._path = path

    def __len__(self) -> int:
        return 1

    def images(self, skip: Skip) -> Iterator[SourceImage]:
        """Read the file."""
        try:
            frame = frame_from_file(self._path.read_bytes())
        except ImageError as error:
            skip(str(self._path), error)
        except OSError as error:
            skip(str(self._path), ImageError(f'cannot be read ({error.strerror})'))
        else:
            yield SourceImage(self._path.stem, str(self._path), frame)


class Video:
    """
    The frames of a video, numbered from 0.

    :raises ImageError: if OpenCV cannot open it.
    """

    storage = ''

    def __init__(self, path: Path) -> None:
        self._path = path
        capture = self._opened()
        self._count = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        capture.release()

    def __len__(self) -> int:
        return self._count

    def images(self, skip: Skip) -> Iterator[SourceImage]:
        """Read frame after frame; an end that comes too soon counts as one image."""
        capture = self._opened()
        period_ns = 1e9 / (capture.get(cv2.CAP_PROP_FPS) or 25)
        number = 0
        while True:
            read, pixels = capture.read()
            if not read:
                break
            frame = Frame(np.asarray(pixels, np.uint8), 'bgr', round(number * period_ns))
            yield SourceImage(f'{self._path.stem}_{number:06}', str(self._path), frame)
            number += 1
        capture.release()
        if number < max(1, LEAST_OF_VIDEO * self._count):
            skip(str(self._path), ImageError(
                f'a video that ends after {number} of {self._count} frames', 'a whole file'
            ))

    def _opened(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            raise ImageError('neither an image nor a video nor a rosbag2 recording')
        return capture
