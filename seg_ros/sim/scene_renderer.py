"""A stage with its cast and a camera before it."""

import numpy as np
from seg_ros.core.segmentation import Segmentation
from seg_ros.sim.assets import load_assets
from seg_ros.sim.ground_truth import segmentation_from_bodies
from seg_ros.sim.renderer import Renderer
from seg_ros.sim.textures import Split
from seg_ros.sim.view import Light, Shot, Viewpoint
from seg_ros.sim.world import World


class SceneRenderer:
    """
    A world to arrange and to photograph; whoever opens it closes it.

    :param random: chooses the cast.
    """

    def __init__(
        self, random: np.random.Generator, split: Split, size_hw: tuple[int, int]
    ) -> None:
        self.world = World()
        try:
            # First: it draws only what is loaded after it.
            self._renderer = Renderer(self.world.client, size_hw)
            self.assets = load_assets(self.world, random, split)
        except BaseException:
            self.close()
            raise
        self._class_of_body = {body.number: body.class_id for body in self.world.bodies}

    def close(self) -> None:
        """Give the world back."""
        self.world.close()

    def shoot(self, view: Viewpoint, light: Light) -> tuple[Shot, Segmentation]:
        """Take an image, and its truth."""
        shot = self._renderer.shoot(view, light)
        return shot, segmentation_from_bodies(shot.bodies, self._class_of_body)
