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

"""Photographs with masks, as examples for evaluation."""

from functools import partial
from pathlib import Path

import numpy as np
from seg_ros.commands.evaluation.ground_truth import Example, Examples, Truth
from seg_ros.core.errors import ImageError, SettingError
from seg_ros.masks.from_maps import segmentation_from_maps
from seg_ros.sim.classes import CARD
from seg_ros.training.photographs import Photographs, photographs_of
from seg_ros.training.sample import OTHER


def photograph_examples(root: Path, listed: str) -> Examples:
    """
    Open the photographs of a list; see `seg_ros.training.photographs` for the layout.

    :param listed: `val` for `val.txt`.
    :raises SettingError: if list or index cannot be read.
    """
    items = [
        Example(name, root / source.name / 'images' / f'{name}.jpg',
                partial(_truth, source, number), source.name)
        for source in photographs_of(root, listed, {})
        for number, name in enumerate(source.names)
    ]
    if not items:
        raise SettingError(f'{root / listed}.txt names no photograph', 'at least one')
    return Examples(CARD, items)


def _truth(source: Photographs, number: int) -> Truth:
    try:
        sample = source.read(number)
    except SettingError as error:
        raise ImageError(str(error)) from error
    classes = np.where(sample.classes >= OTHER, CARD.unlabelled, sample.classes)
    segmentation = segmentation_from_maps(classes.astype(np.uint8), sample.instances, CARD)
    return Truth(segmentation)
