"""Data sets in the COCO panoptic layout, reduced once, then drawn as augmented crops."""

from collections.abc import Callable, Sequence
import json
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import InputSpec
from seg_ros.core.errors import SettingError
from seg_ros.core.frame import Pixels

Random: TypeAlias = np.random.Generator
Maps: TypeAlias = NDArray[np.uint8]
Step: TypeAlias = Callable[[str], None]

STORED_HW = (360, 480)
VOID = 255
_FULL_SHARE = 0.5   # the smallest window that is cut out of an image
_STRETCH = 1.3      # how much wider or taller a window may be than the network's input
_PADDED = 0.3       # how often an image is letterboxed, as those of wide cameras are


class Samples:
    """
    The images of some folders.

    :param folders: each with `images`, `panoptic` and `panoptic.json`, of the same categories.
    :param tell: called with a line where something takes long.
    :raises SettingError: if a folder is no such data set.
    """

    def __init__(self, folders: Sequence[Path], tell: Step = lambda line: None) -> None:
        tables = [_read_table(folder) for folder in folders]
        self.categories: list[dict[str, Any]] = tables[0]['categories']
        if any(table['categories'] != self.categories for table in tables):
            raise SettingError('folders with different categories', 'the same in all of them')
        stores = [
            _open_store(folder, table, tell)
            for folder, table in zip(folders, tables, strict=True)
        ]
        self._place = [(store, row) for store in stores for row in range(len(store))]
        self.shares = np.concatenate([_shares(store, len(self.categories)) for store in stores])

    def __len__(self) -> int:
        return len(self._place)

    def stored(self, number: int) -> tuple[Pixels, Maps, Maps]:
        """Return an image, rgb, with its classes (channel numbers, 255 = void) and instances."""
        store, row = self._place[number]
        image = np.asarray(store[row])
        return image[..., :3], image[..., 3], image[..., 4]

    def drawing_weights(self) -> NDArray[np.float64]:
        """Give images with rare classes a higher chance: 1.5 more for each that shows."""
        shown = self.shares > 0.01
        rare = self.shares.mean(axis=0) < 0.1
        weights = 1 + 1.5 * (shown & rare).sum(axis=1)
        result: NDArray[np.float64] = weights / weights.sum()
        return result

    def class_weights(self) -> NDArray[np.float32]:
        """Weigh classes by the root of their rareness, from 1 to 3."""
        share = self.shares.mean(axis=0)
        return np.asarray(np.clip(np.sqrt(0.2 / (share + 1e-3)), 1, 3), np.float32)


def augmented(
    sample: tuple[Pixels, Maps, Maps], size_hw: tuple[int, int], random: Random
) -> tuple[Pixels, Maps, Maps]:
    """
    Cut a window out of a sample, resize it to the network's size, turn it, and recolour it.

    Cameras have other aspects than the network: windows are stretched, or letterboxed.
    """
    window = _window(sample[0].shape[:2], size_hw, random)
    flips = random.random() < 0.5, random.random() < 0.08
    place = _place(size_hw, random)
    inside_hw = place[0].stop - place[0].start, place[1].stop - place[1].start
    rgb, classes, instances = (
        _flipped(_resized(array[window], inside_hw), *flips) for array in sample
    )
    return (
        _padded(_recolored(rgb, random), place, size_hw, InputSpec().pad),
        _padded(classes, place, size_hw, VOID), _padded(instances, place, size_hw, 0),
    )


def _window(
    stored_hw: tuple[int, int], size_hw: tuple[int, int], random: Random
) -> tuple[slice, slice]:
    """Choose a part of an image that has about the network's aspect."""
    stretch = float(np.exp(random.uniform(-1, 1) * np.log(_STRETCH) / 2))
    sides = size_hw[0] * stretch, size_hw[1] / stretch
    largest = min(stored / side for stored, side in zip(stored_hw, sides, strict=True))
    scale = largest * (random.uniform(_FULL_SHARE, 1) if random.random() < 0.85 else 1)
    height, width = (int(side * scale) for side in sides)
    y = int(random.integers(0, stored_hw[0] - height + 1))
    x = int(random.integers(0, stored_hw[1] - width + 1))
    return slice(y, y + height), slice(x, x + width)


def _place(size_hw: tuple[int, int], random: Random) -> tuple[slice, slice]:
    """Choose where in the network's input the window lies: everywhere, or in its middle."""
    spans = [slice(0, side) for side in size_hw]
    if random.random() < _PADDED:
        axis = int(random.integers(2))
        margin = int(size_hw[axis] * random.uniform(0, 0.2))
        spans[axis] = slice(margin, size_hw[axis] - margin)
    return spans[0], spans[1]


def _padded(
    array: Maps, place: tuple[slice, slice], size_hw: tuple[int, int], level: int
) -> Maps:
    padded = np.full((*size_hw, *array.shape[2:]), level, np.uint8)
    padded[place] = array
    return padded


def _resized(array: Any, size_hw: tuple[int, int]) -> Any:
    rule = cv2.INTER_AREA if array.ndim == 3 else cv2.INTER_NEAREST
    return cv2.resize(np.ascontiguousarray(array), size_hw[::-1], interpolation=rule)


def _flipped(array: Any, sideways: bool, over: bool) -> Any:
    array = array[:, ::-1] if sideways else array
    return np.ascontiguousarray(array[::-1] if over else array)


def _recolored(rgb: Pixels, random: Random) -> Pixels:
    image: Any = rgb
    if random.random() < 0.6:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        turn = np.arange(256) + random.integers(-25, 26)
        paler = np.clip(np.arange(256) * random.uniform(0.2, 1.4), 0, 255)
        curve = np.stack([turn % 180, paler, np.arange(256)], axis=1).astype(np.uint8)
        image = cv2.cvtColor(cv2.LUT(hsv, curve[None]), cv2.COLOR_HSV2RGB)
    if random.random() < 0.5:
        tone = (np.arange(256) / 255) ** random.uniform(0.65, 1.5)
        curve = np.clip(tone[:, None] * random.uniform(0.75, 1.25, 3) * 255, 0, 255)
        image = cv2.LUT(image, curve.astype(np.uint8)[None])
    if random.random() < 0.25:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 85))]
        image = cv2.imdecode(cv2.imencode('.jpg', image, quality)[1], cv2.IMREAD_COLOR)
    return np.asarray(image, np.uint8)


def _read_table(folder: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = json.loads((folder / 'panoptic.json').read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise SettingError(
            f'{folder}: {error}', 'a folder that `seg_ros render` wrote'
        ) from error
    return table


def _open_store(folder: Path, table: dict[str, Any], tell: Step) -> NDArray[np.uint8]:
    """Open the reduced images of a folder: uint8 (count, 360, 480, rgb + class + instance)."""
    path = folder / 'reduced.npy'
    if not path.is_file():
        tell(f'reducing {len(table["images"])} images of {folder}')
        partial = path.with_suffix('.partial.npy')
        shape = (len(table['images']), *STORED_HW, 5)
        store = np.lib.format.open_memmap(partial, 'w+', np.uint8, shape)
        for number, (image, annotation) in enumerate(
            zip(table['images'], table['annotations'], strict=True)
        ):
            store[number] = _reduced(folder, image, annotation, table['categories'])
        store.flush()
        partial.rename(path)
    opened: NDArray[np.uint8] = np.load(path, mmap_mode='r')
    return opened


def _reduced(
    folder: Path, image: dict[str, Any], annotation: dict[str, Any],
    categories: Sequence[dict[str, Any]],
) -> NDArray[np.uint8]:
    pixels = cv2.imread(str(folder / 'images' / image['file_name']))
    colors = cv2.imread(str(folder / 'panoptic' / annotation['file_name']))
    if pixels is None or colors is None:
        raise SettingError(f'{folder}: {image["file_name"]} or its masks cannot be read')
    size = STORED_HW[::-1]
    ids = colors[..., ::-1].astype(np.int64) @ (1, 256, 65536)
    small_ids = cv2.resize(ids.astype(np.int32), size, interpolation=cv2.INTER_NEAREST)
    classes, instances = _maps(
        np.asarray(small_ids, np.int32), annotation['segments_info'], categories
    )
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.concatenate([small[..., ::-1], np.dstack([classes, instances])], axis=2)


def _maps(
    ids: NDArray[np.int32], segments: Sequence[dict[str, Any]],
    categories: Sequence[dict[str, Any]],
) -> tuple[Maps, Maps]:
    channels = {item['id']: channel for channel, item in enumerate(categories)}
    things = {item['id'] for item in categories if item['isthing']}
    classes = np.full(ids.shape, VOID, np.uint8)
    instances = np.zeros(ids.shape, np.uint8)
    for number, segment in enumerate(segments[:254], start=1):
        mask = ids == segment['id']
        classes[mask] = channels[segment['category_id']]
        if segment['category_id'] in things:
            instances[mask] = number
    return classes, instances


def _shares(store: NDArray[np.uint8], classes: int) -> NDArray[np.float64]:
    """Return the share of each class in each image, (count, classes), from every 8th pixel."""
    rows = [np.bincount(row[::8, ::8, 3].ravel(), minlength=256)[:classes] for row in store]
    counts: NDArray[np.float64] = np.stack(rows) / (STORED_HW[0] * STORED_HW[1] / 64)
    return counts
