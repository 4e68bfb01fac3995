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

"""A model as a callable that segments images."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from types import TracebackType
from typing import Any
import warnings

import numpy as np
from seg_ros.api.masks import Masks
from seg_ros.core.card import ModelCard
from seg_ros.core.engine import EngineFacts
from seg_ros.core.errors import ImageError, PromptError, SettingError
from seg_ros.core.frame import ColorOrder, Frame, Pixels
from seg_ros.core.progress import Report, silent
from seg_ros.core.prompts import Prompt
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.settings import Settings
from seg_ros.core.shown import shown
from seg_ros.core.timing import Timing
from seg_ros.engines.model_path import absolute_model
from seg_ros.image.fit import fit_for
from seg_ros.masks.postprocess_context import PARTS
from seg_ros.pipeline import process
from seg_ros.pipeline.prompts import answerable
from seg_ros.pipeline.serving_model import open_serving_model
from seg_ros.temporal.temporal_filter import TemporalFilter

SETTINGS = (
    'engine', 'device', 'threads', 'inference_precision', 'workers', 'max_batch',
    'score_threshold', 'mask_threshold', 'min_confidence', 'classes', 'prompts', 'upsample',
    'tracking', 'smoothing', 'source_size', 'workspace_mib', 'optimization_level', 'dla_core',
    'hardware_compatibility', 'cache_dir',
)


class Segmenter:
    """
    A compiled model, opened on the best engine of this machine.

    For example:

        from seg_ros import Segmenter

        with Segmenter('model.onnx', score_threshold=0.4) as segmenter:
            masks = segmenter(cv2.imread('street.jpg'), color='bgr')
        cv2.imwrite('overlay.png', masks.draw()[..., ::-1])

    With `tracking=True` or `smoothing=0.5`, the images of successive calls are treated as one
    video; `restart` starts another. Not thread-safe.

    :param model: a file written by `seg_ros compile`, `default`, or a classical method.
    :param settings: the node's parameters by name, such as `engine`, `device` or `classes` (any
        sequence of names). Those that only the node uses are ignored with a warning.
    :raises SettingError: if a setting is unknown or out of range.
    :raises ModelError: if the model file is missing, truncated or not compiled.
    :raises EngineError: if no engine is installed, or it refuses the model.
    """

    def __init__(
        self, model: str = 'default', *, report: Report = silent, **settings: Any
    ) -> None:
        _check_names(settings)
        model = absolute_model(str(model))
        self.settings = Settings(**{**_with_tuples(settings), 'model': model})
        self._serving = open_serving_model(self.settings, report)
        for note in self.facts.notes:
            warnings.warn(note, stacklevel=2)
        self._stamp_ns = 0
        self._temporal = TemporalFilter()

    @property
    def timing(self) -> Timing:
        """Duration of each stage, over the last calls."""
        return self._serving.timing

    @property
    def card(self) -> ModelCard:
        """Classes of the model, and the preprocessing of its input."""
        return self._serving.card

    @property
    def facts(self) -> EngineFacts:
        """Engine, device and precision of the model."""
        return self._serving.engine.facts

    def __call__(
        self, image: Pixels, color: ColorOrder = 'rgb', stamp_ns: int | None = None,
        prompts: Sequence[Prompt | Sequence[float]] | None = None,
    ) -> Masks:
        """
        Segment one image.

        :param image: uint8, (H, W, 3), or (H, W) with `gray`; not copied, so changing it later
            changes what `Masks.draw` shows.
        :param color: order of the channels: `rgb`, `bgr` (as returned by cv2.imread) or `gray`.
        :param stamp_ns: time of the image in nanoseconds, for `tracking` and `smoothing`. Defaults
            to images at 30 Hz.
        :param prompts: boxes (x0, y0, x1, y1) and points (x, y) in pixels, or `Prompt`s, for a
            promptable model; the former get ids from 1, after those of the setting `prompts`.
            Defaults to the previous image's prompts, which follow their objects.
        :raises ImageError: if the array is not such an image, or the stamp is not an integer.
        :raises PromptError: if a prompt is invalid, or the model does not support it.
        :raises EngineError: if inference failed.
        """
        _check_array(image)
        frame = Frame(image, color, self._stamp_ns + 33_333_333 if stamp_ns is None else stamp_ns)
        if prompts is not None:
            self._ask(prompts, frame.size_hw)
        self._stamp_ns = frame.stamp_ns
        return Masks(frame, self.segment(frame, self._temporal), self.card)

    def check_prompts(
        self, prompts: Sequence[Prompt], size_hw: tuple[int, int] | None = None
    ) -> None:
        """
        Check that the model supports prompts.

        :param size_hw: size of the image, if known.
        :raises PromptError: with the reason, if it does not.
        """
        serving, signature = self._serving, self._serving.engine.signature
        fit = fit_for(size_hw, signature.size_hw, self.card.input) if size_hw else None
        _, words = answerable(
            [*serving.prompts, *prompts], signature, self.card, serving.thresholds, fit
        )
        if words:
            raise PromptError(f'prompts: {words}')

    def _ask(
        self, items: Sequence[Prompt | Sequence[float]], size_hw: tuple[int, int]
    ) -> None:
        first = len(self._serving.prompts) + 1
        prompts = [_prompt(number, item) for number, item in enumerate(items, first)]
        self.check_prompts(prompts, size_hw)
        self._temporal.prompts.ask(prompts)

    def segment(self, frame: Frame, temporal: TemporalFilter | None = None) -> Segmentation:
        """
        Segment one frame; for callers that handle several cameras themselves.

        :param temporal: filter of the frame's camera.
        :raises ImageError: if the engine was opened for images of another size.
        :raises EngineError: if inference failed.
        """
        return process.segment(frame, self._serving, PARTS, temporal)

    def restart(self) -> None:
        """Start another video: the next image does not use earlier ids and classes."""
        self._temporal = TemporalFilter()
        self._stamp_ns = 0

    def close(self) -> None:
        """Release the engine's memory."""
        self._serving.close()

    def __enter__(self) -> 'Segmenter':
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _prompt(number: int, item: Prompt | Sequence[float]) -> Prompt:
    if isinstance(item, Prompt):
        return item
    try:
        x0, y0, *far = map(float, item)
        x1, y1 = far or (x0, y0)
    except (TypeError, ValueError) as error:
        seen, expected = f'prompt {shown(item)}', '(x0, y0, x1, y1) or (x, y), in pixels'
        raise PromptError(seen, expected, 'give a list of those') from error
    return Prompt(number, (x0, y0, x1, y1))


def _check_array(image: object) -> None:
    if not isinstance(image, np.ndarray):
        raise ImageError(
            f'an image of type {type(image).__name__}', 'a numpy array of uint8',
            'check that its file was read: cv2.imread returns None for unreadable files',
        )


def _check_names(names: Iterable[str]) -> None:
    """Refuse unknown settings, and warn about settings that have no effect here."""
    unknown = sorted(set(names) - {item.name for item in fields(Settings)})
    if unknown:
        raise SettingError(
            f'unknown settings {", ".join(unknown)}', f'some of {", ".join(SETTINGS)}'
        )
    ignored = [name for name in names if name not in SETTINGS]
    if ignored:
        warnings.warn(
            f'{", ".join(ignored)}: only the node reads this, Segmenter ignores it', stacklevel=3
        )


def _with_tuples(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Convert iterables other than strings to tuples, for settings that are tuples."""
    several = {item.name for item in fields(Settings) if type(item.default) is tuple}
    return {
        name: tuple(value)
        if name in several and isinstance(value, Iterable) and not isinstance(value, str | bytes)
        else value
        for name, value in settings.items()
    }
