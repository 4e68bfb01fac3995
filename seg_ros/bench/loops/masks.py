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

"""Sources of a loop's masks: the simulator's ground truth, or a network."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.settings import Settings
from seg_ros.pipeline.process import segment
from seg_ros.pipeline.serving_model import open_serving_model, ServingModel

# Takes an image and its ground truth.
MaskSource: TypeAlias = Callable[[Frame, Segmentation], Segmentation]
TRUTH, NETWORK = 'true masks', 'default model'


def true_masks(frame: Frame, truth: Segmentation) -> Segmentation:
    """Return the ground truth."""
    return truth


class NetworkMasks:
    """A network's masks of simulated images; call `close` after use."""

    def __init__(self, segmenter: ServingModel) -> None:
        self._segmenter = segmenter

    def masks(self, frame: Frame, truth: Segmentation) -> Segmentation:
        """Segment the image; the ground truth is not used."""
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
    return NetworkMasks(open_serving_model(settings))
