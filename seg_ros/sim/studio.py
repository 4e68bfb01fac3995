"""A stage with its cast and a camera before it."""

import numpy as np
from seg_ros.core.segmentation import Segmentation
from seg_ros.sim.cast import load_cast
from seg_ros.sim.renderer import Renderer
from seg_ros.sim.stage import Stage
from seg_ros.sim.textures import Split
from seg_ros.sim.truth import segmentation_from_bodies
from seg_ros.sim.view import Light, Shot, View


class Studio:
    """
    A world to arrange and to photograph; whoever opens it closes it.

    :param random: chooses the cast.
    """

    def __init__(
        self, random: np.random.Generator, split: Split, size_hw: tuple[int, int]
    ) -> None:
        self.stage = Stage()
        try:
            # First: it draws only what is loaded after it.
            self._renderer = Renderer(self.stage.client, size_hw)
            self.cast = load_cast(self.stage, random, split)
        except BaseException:
            self.close()
            raise
        self._class_of_body = {body.number: body.class_id for body in self.stage.bodies}

    def close(self) -> None:
        """Give the world back."""
        self.stage.close()

    def shoot(self, view: View, light: Light) -> tuple[Shot, Segmentation]:
        """Take a picture, and its truth."""
        shot = self._renderer.shoot(view, light)
        return shot, segmentation_from_bodies(shot.bodies, self._class_of_body)
