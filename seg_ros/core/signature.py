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

"""What a compiled model takes and gives, as its file says."""

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
_HIGHEST: Mapping[Any, int] = {bool: 1, int: 1 << 16, float: 1}


def sized(tensor: str, size: str | tuple[int, int]) -> str:
    """
    Name the output that gives `labels` or `confidence` at another size than its scores have.

    :param size: `NETWORK_SIZE`, or height and width of the source image.
    """
    return f'{tensor}_{size}' if isinstance(size, str) else f'{tensor}_{size[1]}x{size[0]}'


@dataclass(frozen=True)
class ModelSignature:
    """
    What one compiled graph promises; it travels in the ONNX metadata beside the card.

    :param size_hw: height and width of the `image` input, in pixels.
    :param channels: channels of `image`: 3, or 1 for a grey network.
    :param max_batch: the largest batch that one call takes; 0 = any.
    :param tensors: the file's outputs, of which an engine asks for some (`core.output_choice`).
    :param source_sizes: image sizes whose labels the file gives, as heights and widths.
    :param upsampling: how the network itself would enlarge `logits` to `size_hw`: the coordinate
        rule of ONNX Resize.
    :param enlarged: whether the network itself would enlarge `logits` to `size_hw`, so that labels
        of another size are interpolated a second time.
    :param activation: what makes the winner's probability of `logits`: a softmax over the
        channels, a sigmoid of its own, its share of sums that have no upper bound (of 1, where
        all add up to less), or nothing, as they are probabilities already. A channel behind the
        card's classes means none of them.
    :param source_hw: size of the only images that the engine was opened for, whose labels it
        gives at that size; None where any image will do. An engine sets it, never a file.
    :param precision: what the network computes in: `fp32`, `fp16` or `int8`.
    :param score_floor: detections below it never leave the graph.
    :param iou: overlap at which the graph's suppression cuts; 0 where it has none.
    :param top_k: candidates that enter the suppression.
    :param max_instances: slots of `boxes`, `scores`, `classes` and `masks`.
    :param mask_frame: whether `masks` span the network's image or each its own box.
    :param mask_code: what a byte of `masks` means: 255 p, 128 + 16 logit, or 128 + 4 logit where
        logits reach far and edges lie where they cross zero.
    :param snap: whether `masks` over boxes are laid over the whole pixels that a box touches.
    :param max_prompts: rows of the second input, `prompts`; 0 where the network takes none.
    :param arithmetic: `f32` where 16 bits would break the network: it computes indices, or decides
        by comparisons, before its last weights.
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

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what an engine sets is none of the file's."""
        values = asdict(self)
        del values['source_hw']
        return values

    def mask_level(self, probability: float) -> float:
        """Return the byte of `masks` above which a pixel is at least this probable."""
        if self.mask_code == 'probability':
            return 255 * probability
        steps = 16 if self.mask_code == 'logit16' else 4
        odds = probability / (1 - probability) if probability < 1 else np.inf
        return float(np.clip(128 + steps * np.log(max(odds, 1e-8)), 0, 255))

    def check_source(self, size_hw: tuple[int, int]) -> None:
        """
        Refuse an image of a size that the engine was not opened for.

        :raises ImageError: on any other size.
        """
        if self.source_hw and size_hw != self.source_hw:
            seen, expected = (f'{hw[1]}x{hw[0]}' for hw in (size_hw, self.source_hw))
            raise ImageError(
                f'an image of {seen}', f'{expected}, as source_size has it',
                'change source_size, or leave it empty for cameras of several sizes',
            )


def signature_from_dict(data: Mapping[str, Any]) -> ModelSignature:
    """
    Read a signature back from its metadata.

    :raises ModelError: if a key is missing, unknown or of another kind.
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
    """Turn JSON's lists back into tuples, and refuse what is of another kind or out of range."""
    if name == 'size_hw':
        return _size(name, value)
    if name == 'tensors':
        return tuple(map(str, value))
    if name == 'source_sizes':
        return tuple(_size(name, size) for size in value)
    kind = {item.name: item.type for item in fields(ModelSignature)}.get(name)
    words, high = get_args(kind), _HIGHEST.get(kind)
    if words or not high:
        right = value in words if words else isinstance(value, str)
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
