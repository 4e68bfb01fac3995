"""Where a loop's masks come from: the simulator, or a network that sees its images."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.settings import Settings
from seg_ros.engines import open_engine
from seg_ros.pipeline.process import segment
from seg_ros.pipeline.serving_model import ServingModel

# Takes an image and its ground truth.
MaskSource: TypeAlias = Callable[[Frame, Segmentation], Segmentation]
TRUTH, NETWORK = 'true masks', 'default model'


def true_masks(frame: Frame, truth: Segmentation) -> Segmentation:
    """Return the ground truth."""
    return truth


class NetworkMasks:
    """A network's masks of simulated images; whoever opens it closes it."""

    def __init__(self, segmenter: ServingModel) -> None:
        self._segmenter = segmenter

    def masks(self, frame: Frame, truth: Segmentation) -> Segmentation:
        """Segment the image, without a look at the truth."""
        return segment(frame, self._segmenter)

    def close(self) -> None:
        """Close the engine."""
        self._segmenter.close()


def network_masks(model: Path | None) -> NetworkMasks:
    """
    Open a compiled model, or the default one.

    :raises SegError: if it cannot be opened.
    """
    settings = Settings(model=str(model.absolute()) if model else 'default', threads=1)
    return NetworkMasks(ServingModel(open_engine(settings), settings))
