"""
What is published for a frame: a row for each topic, made only for those that somebody reads.

A consumer's format is one file here that gives a tuple of `Output` rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.segmentation import Segmentation
from seg_ros.masks.overlay import color_map, draw_overlay
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header


@dataclass(frozen=True, eq=False)
class View:
    """
    One frame and its masks, as outputs see them.

    :param step: every `step`-th pixel is published, in rows and columns alike.
    :param header: the image message's header, which every output carries on.
    :param camera_info: of the same frame id and size, or None where the camera gives none.
    """

    frame: Frame
    segmentation: Segmentation
    card: ModelCard
    header: Header
    camera_info: CameraInfo | None
    step: int
    alpha: float
    rectified: bool

    def scaled(self, array: NDArray[Any] | None) -> NDArray[Any]:
        """Return every `step`-th pixel of a map that was asked for."""
        assert array is not None
        return array[::self.step, ::self.step]

    @cached_property
    def color(self) -> Pixels:
        """Class colours, rgb."""
        classes = self.scaled(self.segmentation.classes)
        return color_map(np.ascontiguousarray(classes), self.card)

    @cached_property
    def overlay(self) -> Pixels:
        """Class colours, outlines, names and ids over the image, rgb."""
        drawn = draw_overlay(self.frame, self.segmentation, self.card, self.alpha)
        return self.scaled(drawn)


@dataclass(frozen=True)
class Output:
    """
    One topic.

    :param topic: below `~/<camera>/`.
    :param message: the type that is published.
    :param parts: what of the segmentation `make` shows: maps, and `segments` where the table is
        shown without its map.
    :param make: builds the message, or the `Picture` that becomes one; None means that there is
        nothing to say for this frame.
    """

    topic: str
    message: Any
    parts: frozenset[str]
    make: Callable[[View], Any]
