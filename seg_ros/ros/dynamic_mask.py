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

"""The pixels of one camera's images that static outputs leave out."""

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import marked, Segmentation
from seg_ros.core.settings import LiveSettings
from seg_ros.depth.static import dynamic_share, StaticScene


class DynamicMask:
    """
    Marks pixels that are or recently were dynamic, in one camera's images.

    With depth, pixels that an object has left are cleared at once; without it, after
    `static_hold_s`.
    """

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings
        self._scene = StaticScene()
        self.wanted = False     # whether an output that needs it has a subscriber
        self.share = 0.0        # of the last image, 0 to 1; 0 while it is not wanted

    def follow(self, wanted: bool) -> None:
        """Set whether an output that needs the mask has a subscriber."""
        self.wanted = wanted
        if not wanted:
            self.share = 0.0

    def update(
        self, segmentation: Segmentation, card: ModelCard, stamp_ns: int,
        metres: NDArray[np.float32] | None,
    ) -> NDArray[np.bool_]:
        """
        Return the mask of the next image, bool (H, W); call it in the order of stamps.

        :param metres: the image's depth, float32 (H, W), NaN = none; None if it has not arrived.
        """
        classes, settings = segmentation.part('classes'), self._settings.now
        mask = self._scene.update(
            marked(classes, card.ids_with_role('dynamic')), stamp_ns,
            settings.static_dilate_px, settings.static_hold_s, metres,
        )
        self.share = dynamic_share(mask)
        return mask

    def reset(self) -> None:
        """Start anew with the next image; none may be in flight."""
        self._scene.reset()
