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

"""Plays recorded images and ground truth back and forth, without a simulator."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ImageError
from seg_ros.core.segmentation import Segmentation
from seg_ros.image.id_colors import ids_from_rgb
from seg_ros.masks.from_maps import segmentation_from_maps
from seg_ros.masks.panoptic_ids import FIRST_STUFF
from seg_ros.sim.classes import CARD
from seg_ros.sim.view import FOV_DEG, RenderedView

SEQUENCE = Path(__file__).with_name('sequence')
RATE_HZ = 10.0      # of the recording


class Playback:
    """
    A recording with the interface of `sim.orbit.OrbitedTable`; depth is not recorded and 0.

    :param folder: written by `seg_ros render --orbit`.
    :raises ImageError: if the recording is incomplete.
    """

    fov_deg = FOV_DEG

    def __init__(self, folder: Path = SEQUENCE) -> None:
        try:
            table = json.loads((folder / 'panoptic.json').read_text(encoding='utf-8'))
            self._views = [_view(folder, item) for item in table['annotations']]
        except (OSError, KeyError, ValueError) as error:
            raise ImageError(
                f'{folder} cannot be played ({error})', 'a recording of seg_ros render --orbit'
            ) from error
        if not self._views:
            raise ImageError(f'{folder} holds no image', 'a recording of seg_ros render --orbit')
        self._time_s = 0.0

    def __len__(self) -> int:
        return len(self._views)

    def advance(self, seconds: float) -> None:
        """Advance the time."""
        self._time_s += seconds

    def render(self) -> tuple[RenderedView, Segmentation]:
        """Return the current image and its ground truth."""
        last = max(1, len(self._views) - 1)
        number = int(self._time_s * RATE_HZ) % (2 * last)
        return self._views[min(number, 2 * last - number, len(self._views) - 1)]

    def close(self) -> None:
        """Do nothing: a playback holds no resources."""


def _view(folder: Path, annotation: dict[str, Any]) -> tuple[RenderedView, Segmentation]:
    mask, name = folder / 'panoptic' / annotation['file_name'], Path(annotation['file_name']).stem
    image = cv2.imread(str(folder / 'images' / f'{name}.jpg'))
    colors = cv2.imread(str(mask))
    if image is None or colors is None:
        raise ValueError(f'no image or no mask of {name}')
    rgb = np.asarray(image[..., ::-1], np.uint8, order='C')
    nothing = np.zeros(rgb.shape[:2], np.float32), np.full(rgb.shape[:2], -1, np.int32)
    truth = _ground_truth(colors[..., ::-1], annotation['segments_info'])
    return RenderedView(rgb, *nothing), truth


def _ground_truth(colors: NDArray[Any], infos: list[dict[str, Any]]) -> Segmentation:
    ids = ids_from_rgb(colors)
    classes = np.full(ids.shape, CARD.unlabelled, np.uint8)
    for info in infos:
        classes[ids == info['id']] = info['category_id']
    instances = np.where(ids < FIRST_STUFF, ids, 0).astype(np.uint16)
    return segmentation_from_maps(classes, instances, CARD)
