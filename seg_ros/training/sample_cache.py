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

"""Caches decoded and reduced images of a source in a memory-mapped file."""

from collections import Counter
from collections.abc import Callable, Sequence
import hashlib
import json
from pathlib import Path
import re
import shutil
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import SettingError
from seg_ros.training.label_ids import text_from_ids
from seg_ros.training.sample import shrink, TrainingSample

Report: TypeAlias = Callable[[str], None]

LONGEST = 512   # smallest limit for the longest side of stored images, in pixels
_PLANES = 5     # rgb, class and instance
# Called so in caches of earlier versions too.
_COMPLETE = 'absent.npy'
_CLASS_FRACTIONS = 'shares.npy'


class SampleSource(Protocol):
    """
    A data set with its name, classes and images.

    :param place: folder that it is read from.
    :param credits: for each photograph, `source`, `name`, `license` and, where known, `url`.
    :param fingerprint: from `fingerprint_of`.
    :param notes: messages about what was left out on opening.
    """

    name: str
    place: Path
    credits: list[dict[str, Any]]
    categories: list[dict[str, Any]]
    fingerprint: str
    notes: list[str]

    def __len__(self) -> int: ...
    def read(self, number: int) -> TrainingSample: ...


class CachedSource:
    """
    The reduced samples of a source.

    :param folder: written by `open_cached`.
    :raises OSError, ValueError: if it is missing or incomplete.

    `class_fractions`, (images, C), are the fractions of each image's pixels; `unknown` lists the
    ids in the masks that are not a class, with their percentages.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._pixels: NDArray[np.uint8] = np.memmap(folder / 'pixels.bin', mode='r')
        self._places: NDArray[np.int64] = np.load(folder / 'places.npy')
        self._complete: NDArray[np.bool_] = np.load(folder / _COMPLETE)
        self.class_fractions: NDArray[np.float64] = np.load(folder / _CLASS_FRACTIONS)
        self.unknown = (folder / 'unknown.txt').read_text(encoding='utf-8')
        _, height, width = self._places.T
        if _PLANES * (height * width).sum() != len(self._pixels):
            raise ValueError(f'{folder} is truncated')

    @property
    def is_void(self) -> bool:
        """Return whether no pixel has a label."""
        return not (self.class_fractions.any() or self._complete.any())

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> TrainingSample:
        start, height, width = self._places[number].tolist()
        stop = start + height * width * _PLANES
        planes = np.asarray(self._pixels[start:stop]).reshape(height, width, _PLANES)
        return TrainingSample(
            planes[..., :3], planes[..., 3], planes[..., 4], self._complete[number]
        )


def fingerprint_of(content: object, paths: Sequence[Path]) -> str:
    """
    Return a hash of a source's metadata and of its files' paths, sizes and modification times.

    Missing files contribute only their path.
    """
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode())
    for path in paths:
        state = path.stat() if path.is_file() else None
        size_and_time = (state.st_size, state.st_mtime_ns) if state else ()
        digest.update(f'\n{path.resolve()} {size_and_time}'.encode())
    return digest.hexdigest()


def longest_kept(input_hw: tuple[int, int]) -> int:
    """
    Return the longest side to which images are reduced for a network's input size.

    It is a third more than the input, because windows show enlarged parts of images.
    """
    return max(LONGEST, max(input_hw) * 4 // 3)


def open_cached(
    source: SampleSource, cache: Path, report: Report = lambda line: None, longest: int = LONGEST
) -> CachedSource:
    """
    Open the reduced samples of a source; write them if the cache has none or damaged ones.

    Writing also removes samples of earlier states of the same folder.

    :param cache: folder that may be deleted at any time between trainings.
    :param longest: longest side of stored images, in pixels.
    :raises SegError: if an image cannot be read, or the cache cannot be written.
    """
    place = hashlib.sha256(str(source.place).encode()).hexdigest()[:8]
    earlier = f'{source.name}-{place}-'
    folder = cache / f'{earlier}{source.fingerprint[:12]}-{longest}'
    try:
        return CachedSource(source.name, folder)
    except (OSError, ValueError, EOFError):     # not there, or damaged
        report(f'reducing {len(source)} images of {source.name}')
    partial = folder.with_name(folder.name + '.partial')
    for useless in (partial, folder):
        shutil.rmtree(useless, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise SettingError(
            f'{cache}: {error.strerror}', 'a folder that can be written', 'use another --cache'
        ) from error
    _write(source, partial, longest)
    partial.rename(folder)
    _remove_earlier(cache, earlier, source.fingerprint[:12])
    return CachedSource(source.name, folder)


def _remove_earlier(cache: Path, earlier: str, fingerprint: str) -> None:
    """Remove samples, of every size, that were made of a source before it changed."""
    for folder in cache.iterdir():
        found = re.fullmatch(rf'{re.escape(earlier)}([0-9a-f]{{12}})-\d+', folder.name)
        if found and found[1] != fingerprint:
            shutil.rmtree(folder, ignore_errors=True)


def _write(source: SampleSource, folder: Path, longest: int) -> None:
    places, complete, class_fractions, start = [], [], [], 0
    pixels, unknown = 0, Counter[int]()
    with (folder / 'pixels.bin').open('wb') as file:
        for number in range(len(source)):
            whole = source.read(number)
            pixels += whole.classes.size
            unknown.update(whole.unknown)
            sample = shrink(whole, longest)
            planes = np.dstack([sample.rgb, sample.classes, sample.instances])
            file.write(planes.tobytes())
            places.append((start, *sample.classes.shape))
            complete.append(sample.complete)
            counts = np.bincount(sample.classes.ravel(), minlength=256)[:len(source.categories)]
            class_fractions.append(counts / sample.classes.size)
            start += planes.size
    np.save(folder / 'places.npy', np.array(places, np.int64))
    np.save(folder / _COMPLETE, np.array(complete))
    np.save(folder / _CLASS_FRACTIONS, np.array(class_fractions))
    (folder / 'unknown.txt').write_text(text_from_ids(unknown, pixels), encoding='utf-8')
