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

"""The signature of a compiled model: its inputs, its outputs and their meaning."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args, Literal, TypeAlias

import numpy as np
from seg_ros.core.card import Snap
from seg_ros.core.errors import ImageError, ModelError
from seg_ros.core.frame import LONGEST_SIDE

Upsampling: TypeAlias = Literal['half_pixel', 'align_corners', 'asymmetric']
MaskFrame: TypeAlias = Literal['image', 'box']
MaskCode: TypeAlias = Literal['probability', 'logit16', 'logit4']
Activation: TypeAlias = Literal['softmax', 'sigmoid', 'share', 'none']
Arithmetic: TypeAlias = Literal['any', 'f32']
UpsampleMode: TypeAlias = Literal['auto', 'graph', 'edges', 'nearest']

NETWORK_SIZE = 'network_size'
_MAX_VALUE: Mapping[Any, int] = {bool: 1, int: 1 << 16, float: 1}


def sized(tensor: str, size: str | tuple[int, int]) -> str:
    """
    Return the name of the output with `labels` or `confidence` at another size than the scores.

    :param size: `NETWORK_SIZE`, or height and width of the source image.
    """
    return f'{tensor}_{size}' if isinstance(size, str) else f'{tensor}_{size[1]}x{size[0]}'


@dataclass(frozen=True)
class ModelSignature:
    """
    The contract of one compiled graph, stored in the ONNX metadata with the card.

    :param size_hw: height and width of the `image` input, in pixels.
    :param channels: channels of `image`: 3, or 1 for a grey network.
    :param max_batch: maximum batch size of one call; 0 = any.
    :param tensors: the file's outputs, of which an engine computes some (`core.output_choice`).
    :param source_sizes: heights and widths of images for which the file has labels.
    :param upsampling: coordinate transformation mode of ONNX Resize with which the network itself
        would enlarge `logits` to `size_hw`.
    :param enlarged: whether the network itself would enlarge `logits` to `size_hw`, so that labels
        of another size are interpolated twice.
    :param activation: how the best class's probability is computed from `logits`: `softmax` over
        the channels, `sigmoid` of its own logit, `share` of the channels' sum (of 1 if the sum is
        less), or `none` if they are probabilities. A channel after the card's classes means no
        class.
    :param source_hw: the only image size that the engine was opened for, which is also that of its
        labels; None = any. Set by engines, never by files.
    :param precision: precision of the network: `fp32`, `fp16` or `int8`.
    :param score_floor: the graph drops detections with a lower score.
    :param iou: threshold of the graph's non-maximum suppression; 0 = none.
    :param top_k: number of candidates for the suppression.
    :param max_instances: slots of `boxes`, `scores`, `classes` and `masks`.
    :param mask_frame: whether each of `masks` spans the network's image or its own box.
    :param mask_code: encoding of a byte of `masks`: 255 p, 128 + 16 logit, or 128 + 4 logit for
        logits with a large range whose edges are at zero.
    :param snap: whether box-framed `masks` are resized to the whole pixels that a box touches.
    :param max_prompts: rows of the second input, `prompts`; 0 = the network has none.
    :param arithmetic: `f32` if 16 bits would break the network, because it computes indexes or
        decides by comparisons before its last weights.
    """

    size_hw: tuple[int, int]
    tensors: tuple[str, ...]
    channels: int = 3
    max_batch: int = 1
    source_sizes: tuple[tuple[int, int], ...] = ()
    upsampling: Upsampling = 'half_pixel'
    enlarged: bool = False
    activation: Activation = 'softmax'
    source_hw: tuple[int, int] | None = None
    precision: str = 'fp32'
    score_floor: float = 0.0
    iou: float = 0.0
    top_k: int = 0
    max_instances: int = 0
    mask_frame: MaskFrame = 'image'
    mask_code: MaskCode = 'probability'
    snap: Snap = 'none'
    max_prompts: int = 0
    arithmetic: Arithmetic = 'any'

    @property
    def promptable(self) -> bool:
        """Whether the network segments what prompts ask for."""
        return self.max_prompts > 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without those that an engine sets."""
        values = asdict(self)
        del values['source_hw']
        return values

    @property
    def logit_steps(self) -> int:
        """Return the levels of a byte of `masks` per unit of a logit, where it encodes logits."""
        return 4 if self.mask_code == 'logit4' else 16

    def mask_level(self, probability: float) -> float:
        """Return the level of `masks` that corresponds to a probability."""
        if self.mask_code == 'probability':
            return 255 * probability
        odds = probability / (1 - probability) if probability < 1 else np.inf
        return float(np.clip(128 + self.logit_steps * np.log(max(odds, 1e-8)), 0, 255))

    def check_source(self, size_hw: tuple[int, int]) -> None:
        """
        Check that the engine was opened for an image's size.

        :raises ImageError: if it was opened for another size.
        """
        if self.source_hw and size_hw != self.source_hw:
            seen, expected = (f'{hw[1]}x{hw[0]}' for hw in (size_hw, self.source_hw))
            raise ImageError(
                f'an image of {seen}', f'{expected}, as source_size has it',
                'change source_size, or leave it empty for cameras of several sizes',
            )


def signature_from_dict(data: Mapping[str, Any]) -> ModelSignature:
    """
    Read a signature from metadata.

    :raises ModelError: if a key is missing, unknown or of the wrong type.
    """
    try:
        values = {name: _restored(name, value) for name, value in data.items()}
        return ModelSignature(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f'a compiled model with unreadable metadata ({error})',
            do='compile it again with this version',
        ) from error


def _restored(name: str, value: Any) -> Any:
    """Convert JSON lists to tuples, and refuse values of the wrong type or out of range."""
    if name == 'size_hw':
        return _size(name, value)
    if name == 'tensors':
        return tuple(map(str, value))
    if name == 'source_sizes':
        return tuple(_size(name, size) for size in value)
    kind = {item.name: item.type for item in fields(ModelSignature)}.get(name)
    choices, high = get_args(kind), _MAX_VALUE.get(kind)
    if choices or not high:
        right = value in choices if choices else isinstance(value, str)
    else:
        right = isinstance(value, int | float if kind is float else int) and 0 <= value <= high
    if not right:
        raise ValueError(f'{name}: {value!r}')
    return value


def _size(name: str, value: Any) -> tuple[int, int]:
    height, width = value
    sides = height, width
    if not all(type(side) is int and 0 < side <= LONGEST_SIDE for side in sides):
        raise ValueError(f'{name}: {value!r}, expected sides of 1 to {LONGEST_SIDE}')
    return sides
