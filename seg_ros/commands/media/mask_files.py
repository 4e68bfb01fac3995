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

"""Masks as PNG files: class ids, segment ids and the overlay."""

from pathlib import Path

from seg_ros.commands.media.source_image import SourceImage
from seg_ros.commands.output_file import write_file
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import Segmentation
from seg_ros.image.file_writing import encode_png
from seg_ros.masks.overlay import draw_overlay


class MaskFiles:
    """A sink of masks: `semantic`, `instance` and `overlay`, one PNG each per image."""

    def __init__(self, folder: Path, card: ModelCard, alpha: float) -> None:
        self._folder = folder
        self._card = card
        self._alpha = alpha

    def write(self, name: str, image: SourceImage, segmentation: Segmentation) -> None:
        """
        Write the files of one image.

        :raises SettingError: if they cannot be written.
        """
        maps = {
            'semantic': segmentation.classes,
            'instance': segmentation.instances,
            'overlay': draw_overlay(image.frame, segmentation, self._card, self._alpha),
        }
        for kind, array in maps.items():
            if array is not None:
                write_file(self._folder / kind / f'{name}.png', encode_png(array))
