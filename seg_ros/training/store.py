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

"""Images of a source decoded and reduced once, so that a training reads them from memory."""

from collections.abc import Callable
from pathlib import Path
import shutil
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.training.sample import shrink, TrainingSample

Report: TypeAlias = Callable[[str], None]

LONGEST = 512   # side of what is kept, in pixels
_PLANES = 5     # rgb, class, instance


class SampleSource(Protocol):
    """
    A data set: what it is called, what its classes are, and its images.

    :param credits: of each photograph its `source`, `name`, `license` and, where known, `url`.
    """

    name: str
    credits: list[dict[str, Any]]
    categories: list[dict[str, Any]]
    fingerprint: str

    def __len__(self) -> int: ...
    def read(self, number: int) -> TrainingSample: ...


class Store:
    """
    The reduced samples of a source.

    :param folder: that `open_store` wrote.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._pixels: NDArray[np.uint8] = np.load(folder / 'pixels.npy', mmap_mode='r')
        self._places: NDArray[np.int64] = np.load(folder / 'places.npy')
        self._absent: NDArray[np.bool_] = np.load(folder / 'absent.npy')
        self.shares: NDArray[np.float64] = np.load(folder / 'shares.npy')

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> TrainingSample:
        start, height, width = self._places[number].tolist()
        stop = start + height * width * _PLANES
        planes = np.asarray(self._pixels[start:stop]).reshape(height, width, _PLANES)
        return TrainingSample(
            planes[..., :3], planes[..., 3], planes[..., 4], self._absent[number]
        )


def open_store(source: SampleSource, cache: Path, report: Report = lambda line: None) -> Store:
    """
    Open the reduced samples of a source, made now if they are not in the cache.

    :param cache: a folder that may be deleted at any time between trainings.
    :raises SegError: if an image cannot be read.
    """
    folder = cache / f'{source.name}-{source.fingerprint[:12]}'
    if not folder.is_dir():
        report(f'reducing {len(source)} images of {source.name}')
        partial = folder.with_name(folder.name + '.partial')
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write(source, partial)
        partial.rename(folder)
    return Store(source.name, folder)


def _write(source: SampleSource, folder: Path) -> None:
    kept, places, absent, shares, start = [], [], [], [], 0
    for number in range(len(source)):
        sample = shrink(source.read(number), LONGEST)
        planes = np.dstack([sample.rgb, sample.classes, sample.instances])
        kept.append(planes.ravel())
        places.append((start, *sample.classes.shape))
        absent.append(sample.absent)
        counts = np.bincount(sample.classes.ravel(), minlength=256)[:len(source.categories)]
        shares.append(counts / sample.classes.size)
        start += planes.size
    np.save(folder / 'pixels.npy', np.concatenate(kept))
    np.save(folder / 'places.npy', np.array(places, np.int64))
    np.save(folder / 'absent.npy', np.array(absent))
    np.save(folder / 'shares.npy', np.array(shares))
