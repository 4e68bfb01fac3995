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

"""The result of one call: the masks of an image, with class names."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.api.coco import coco_annotations
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.core.frame import ColorOrder, Frame, Pixels
from seg_ros.core.segmentation import ClassMap, Segment, Segmentation
from seg_ros.core.shown import shown
from seg_ros.masks.overlay import color_map, draw_overlay


@dataclass(frozen=True, eq=False)
class Masks:
    """
    The masks of one image, at the image's size.

    :param frame: the image.
    :param segmentation: all parts of its masks.
    :param card: the model's class ids, names, colours and roles.
    """

    frame: Frame
    segmentation: Segmentation
    card: ModelCard

    def __repr__(self) -> str:
        height, width = self.segmentation.size_hw
        found = Counter(map(self.class_name, self.segments))
        segments = ', '.join(f'{count} {name}' for name, count in found.most_common()) or 'none'
        return f'<Masks of a {width}x{height} image by {self.card.name}; segments: {segments}>'

    @property
    def classes(self) -> ClassMap:
        """Class ids of the card (H, W): uint8, 255 = unlabelled, or uint16 for ids above 254."""
        return self.segmentation.part('classes')

    @property
    def confidence(self) -> NDArray[np.uint8]:
        """Probability of the class, uint8 (H, W): 255 = certain, 0 where unlabelled."""
        return self.segmentation.part('confidence')

    @property
    def instances(self) -> NDArray[np.uint16]:
        """Segment ids, uint16 (H, W), 0 = none; all 0 for a semantic model."""
        if self.segmentation.instances is None:
            return np.zeros(self.segmentation.size_hw, np.uint16)
        return self.segmentation.instances

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Instances, best first: id, class id, score, box and area in pixels."""
        return self.segmentation.segments

    def panoptic(self) -> NDArray[np.int32]:
        """Return class << 16 | instance, int32 (H, W), as on the node's topic `panoptic`."""
        return self.segmentation.panoptic()

    def class_name(self, segment: Segment) -> str:
        """Return the name of a segment's class."""
        return self.card.by_id[segment.class_id].name

    def mask(self, segment: Segment) -> NDArray[np.bool_]:
        """Return the pixels of one segment, bool (H, W)."""
        return np.asarray(self.instances == segment.id)

    def color(self) -> Pixels:
        """Return the class colours, uint8 (H, W, 3), rgb; black where unlabelled."""
        return color_map(self.classes, self.card)

    def draw(
        self, image: Pixels | None = None, color: ColorOrder = 'rgb', alpha: float = 0.5
    ) -> Pixels:
        """
        Draw colours, outlines, names and ids over an image.

        :param image: uint8 of the same height and width. Defaults to the segmented image.
        :param color: order of the channels of `image`.
        :param alpha: opacity of the colours, 0 to 1.
        :returns: a new image, uint8 (H, W, 3), rgb.
        :raises ImageError: if `image` is not such an array, or has another size.
        :raises SettingError: if `alpha` is out of range.
        """
        if not isinstance(alpha, int | float | np.floating) or not 0 <= alpha <= 1:
            raise SettingError(f'alpha: {shown(alpha)}', 'a number from 0 to 1')
        frame = self.frame if image is None else Frame(image, color)
        return draw_overlay(frame, self.segmentation, self.card, alpha)

    def coco(self, image_id: int = 1) -> list[dict[str, Any]]:
        """
        Return COCO annotations of the instances, with run-length masks.

        :param image_id: id of the image in the annotations.
        """
        return coco_annotations(self.segments, self.instances, image_id)

    def supervision(self) -> Any:
        """
        Return the instances as `supervision.Detections`.

        :raises SettingError: if supervision is not installed.
        """
        from seg_ros.api.supervision import detections

        return detections(self.segmentation, self.card)
