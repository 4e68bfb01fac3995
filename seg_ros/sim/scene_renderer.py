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

"""A world with assets and a renderer."""

import numpy as np
from seg_ros.core.segmentation import Segmentation
from seg_ros.sim.assets import load_assets
from seg_ros.sim.ground_truth import segmentation_from_bodies
from seg_ros.sim.renderer import Renderer
from seg_ros.sim.textures import Split
from seg_ros.sim.view import Light, RenderedView, Viewpoint
from seg_ros.sim.world import World


class SceneRenderer:
    """
    A world in which scenes are arranged and rendered; call `close` after use.

    :param random: chooses the assets.
    """

    def __init__(
        self, random: np.random.Generator, split: Split, size_hw: tuple[int, int]
    ) -> None:
        self.world = World()
        try:
            # Must come first: it renders only what is loaded after it.
            self._renderer = Renderer(self.world.client, size_hw)
            self.assets = load_assets(self.world, random, split)
        except BaseException:
            self.close()
            raise
        self._class_of_body = {body.number: body.class_id for body in self.world.bodies}

    def close(self) -> None:
        """Release the world."""
        self.world.close()

    def render(self, view: Viewpoint, light: Light) -> tuple[RenderedView, Segmentation]:
        """Return an image and its ground truth."""
        rendered = self._renderer.render(view, light)
        return rendered, segmentation_from_bodies(rendered.bodies, self._class_of_body)
