"""Frames in, segmentations out: fit, one call of the engine, paint and merge."""

from collections.abc import Sequence

import numpy as np
from seg_ros.core.card import ModelCard
from seg_ros.core.engine import Engine
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.settings import Settings
from seg_ros.core.thresholds import thresholds_from_settings
from seg_ros.core.timing import Timing
from seg_ros.image.letterbox import fit_for, fit_image
from seg_ros.masks.panoptic import PARTS, segmentation_from_outputs


class Segmenter:
    """
    An engine together with the thresholds its masks are cut by.

    :param engine: owned by the segmenter, which closes it.
    :raises SettingError: if a threshold does not suit the model.
    """

    def __init__(self, engine: Engine, settings: Settings, timing: Timing | None = None) -> None:
        self.engine = engine
        self.timing = timing or Timing()
        self._thresholds = thresholds_from_settings(settings, engine.card, engine.signature)

    @property
    def card(self) -> ModelCard:
        """Of the model that is running."""
        return self.engine.card

    @property
    def batch_limit(self) -> int:
        """How many frames one call may take."""
        return self.engine.signature.max_batch or 64

    def change(self, settings: Settings) -> None:
        """
        Cut later frames by other thresholds.

        :raises SettingError: if a threshold does not suit the model; the old ones stay.
        """
        self._thresholds = thresholds_from_settings(
            settings, self.engine.card, self.engine.signature
        )

    def check(self, frame: Frame) -> None:
        """
        Refuse a frame that the engine was not opened for.

        :raises ImageError: if it has another size than the engine's labels.
        """
        self.engine.signature.check_source(frame.size_hw)

    def segment(self, frame: Frame, parts: frozenset[str] = PARTS) -> Segmentation:
        """Segment one frame; see `segment_batch`."""
        return self.segment_batch([frame], [parts])[0]

    def segment_batch(
        self, frames: Sequence[Frame], parts: Sequence[frozenset[str]]
    ) -> list[Segmentation]:
        """
        Segment frames of any sizes in as few calls of the engine as it allows.

        :param parts: for each frame the maps that somebody reads, of `PARTS`.
        :raises EngineError: if the runtime failed.
        """
        limit = self.batch_limit
        if len(frames) > limit:
            return [
                segmentation
                for first in range(0, len(frames), limit)
                for segmentation in self.segment_batch(
                    frames[first:first + limit], parts[first:first + limit]
                )
            ]
        for frame in frames:
            self.check(frame)
        with self.timing.stage('fit'):
            spec, signature = self.card.input, self.engine.signature
            batch = np.empty((len(frames), *signature.size_hw, signature.channels), np.uint8)
            fits = [fit_for(frame.size_hw, signature.size_hw, spec) for frame in frames]
            for frame, fit, image in zip(frames, fits, batch, strict=True):
                fit_image(frame, fit, spec, image)
        with self.timing.stage('network'):
            outputs = self.engine.submit(batch).result()
        for stage, milliseconds in outputs.stage_ms.items():
            self.timing.add(stage, milliseconds)
        with self.timing.stage('paint'):
            return [
                segmentation_from_outputs(
                    outputs.image(index), fit, signature, self.card, self._thresholds, wanted
                )
                for index, (fit, wanted) in enumerate(zip(fits, parts, strict=True))
            ]

    def close(self) -> None:
        """Give the engine's memory back."""
        self.engine.close()
