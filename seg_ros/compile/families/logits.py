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

"""Networks that give each pixel a score for each class, or directly a class."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.derived_outputs import own_scores_of_all
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.prototypes import has_coefficients
from seg_ros.compile.families.score_meaning import (
    chosen_meaning,
    competing,
    holds_bytes,
    meaning_of,
    ScoreMeaning,
    unread_scores,
)
from seg_ros.compile.families.strip_output_ops import (
    float_source,
    integer_source,
    OwnScores,
    spans_image,
)
from seg_ros.compile.families.tensor_values import holds_labels, is_multiple
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.compile.tensor_ops import label_output, MAX_BYTE_CLASSES, scalar
from seg_ros.core.card import ModelCard
from seg_ros.core.signature import Upsampling
from spox import Var
import spox.opset.ai.onnx.v17 as op

NAME = 'logits'
_STRIDES = (1, 2, 4, 8, 14, 16, 32)
_AXES = {0: 'NHW', 1: 'NCHW', 2: 'N(HW)C', 3: 'NHWC'}
_MIN_MATTE = 200    # a label map that reaches this value is a mask in bytes: 255 stands for 1
_NONE = 255     # among labels: no class, as in data sets and exports


@dataclass(frozen=True)
class _ScoreMap:
    """
    A map of scores.

    :param size_hwc: height, width and number of channels.
    :param axis: its channel axis; see `_layouts`.
    :param rule: how the network enlarges it; None if it does not.
    :param notes: warnings for the user.
    """

    size_hwc: tuple[int, int, int]
    axis: int
    rule: Upsampling | None
    meaning: ScoreMeaning
    notes: Sequence[str]

    def decode(
        self, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
    ) -> Decoded:
        """Convert scores to float32 (N, C, h, w)."""
        meaning, channels = chosen_meaning(self.meaning, card), self.size_hwc[2]
        scores = self._channels_first(op.cast(tensors[0], to=np.float32))
        logits, activation = competing(scores, meaning, channels, len(card.classes))
        return Decoded({'logits': logits}, {
            'upsampling': self.rule or 'half_pixel', 'enlarged': self.rule is not None,
            'activation': activation,
        }, self.notes)

    def _channels_first(self, scores: Var) -> Var:
        height, width, channels = self.size_hwc
        if self.axis == 1 and len(scores.unwrap_tensor().shape or ()) == 3:
            return op.reshape(scores, op.const(np.array([-1, channels, height, width])))
        if self.axis in (0, 2):
            scores = op.reshape(scores, op.const(np.array([-1, *self.size_hwc])))
        return op.transpose(scores, perm=[0, 3, 1, 2]) if self.axis != 1 else scores


def read_logits(network: Network) -> list[OutputInterpretation] | str:
    """
    Read maps of scores or of labels.

    Scores are (N, C, h, w), (N, h, w, C) or (N, h, w) of any stride, labels (N, h, w) or
    (N, 1, h, w), and (h, w) for a single image. Whole numbers in channels are read if they are
    one-hot or binary, and before casts to bytes. Trailing activations and the last enlargement
    are cut off first, so that the file ends in the network's own scores. A single score channel
    means two classes, or one class and no class. Prototypes of instance masks are not scores.
    """
    found = [
        interpretation
        for output, own in own_scores_of_all(network) if not has_coefficients(network, output)
        for interpretation in _interpretations(network, output, own)
    ]
    return found or _reason(network)


def _interpretations(network: Network, output: str, own: OwnScores) -> list[OutputInterpretation]:
    """Read scores and labels; the probability of a single class is not read as labels."""
    scores = _scores(network, output, own)
    is_one = any(item.class_count == 1 for item in scores)
    return scores if is_one else [*scores, *_labels(network, output, own)]


def _reason(network: Network) -> str:
    """Return the reason why no output is read."""
    for info in network.outputs:
        if has_coefficients(network, info.name):
            return f'{info} are mask prototypes, as other outputs hold boxes and coefficients'
        for _, channels, *map_hw in _layouts(network, info.shape):
            if channels > 1 and spans_image(network, tuple(map_hw)):
                return (
                    f'{info} holds whole numbers in {channels} channels that are neither one-hot '
                    'nor binary: export scores, or one map of labels'
                )
    return (
        f'no output is a map of scores or labels in the shape of the image, '
        f'{network.size_hw[0]}x{network.size_hw[1]}: [N, C, h, w], [N, h, w, C], [N, h, w] or '
        '[h, w]'
    )


def _scores(network: Network, output: str, own: OwnScores) -> list[OutputInterpretation]:
    source = float_source(network, own.tensor)
    given, tensor_info = network.tensor_infos([own.tensor, source])
    is_labels, is_whole = (holds_labels(network, info) for info in (given, tensor_info))
    found = []
    for axis, channels, height, width in _layouts(network, tensor_info.shape):
        if not spans_image(network, (height, width)):
            continue
        meaning = meaning_of(network, own._replace(tensor=source), axis)
        if is_labels and channels == 1 and not holds_bytes(network, source, meaning):
            continue
        # Other whole numbers in channels are colours.
        if is_whole and meaning.unit != 1:
            continue
        axes = 'NC(HW)' if axis == 1 and len(tensor_info.shape) == 3 else _AXES[axis]
        words = (
            f'scores of {tensor_info.name} at {height}x{width}, '
            f'{axes}, {own.rule or "half_pixel"}; {meaning}'
        )
        decode = _ScoreMap(
            (height, width, channels), axis, own.rule, meaning,
            _crop_warning(network.size_hw, (height, width)),
        ).decode
        found += [
            OutputInterpretation(
                NAME, 'semantic', (tensor_info,), classes, words, decode, (output,)
            )
            for classes in ([1, 2] if channels == 1 else [channels])
        ]
    return found


def _layouts(network: Network, shape: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """
    Return the possible layouts of a tensor: channel axis, channels, height and width.

    Axis 0 stands for a single channel whose axis was removed.
    """
    if len(shape) == 2:
        return [(0, 1, *shape)]
    if len(shape) == 4:
        _, first, second, third = shape
        return [(1, first, second, third), (3, third, first, second)]
    if len(shape) != 3:
        return []
    # Flattened pixels, as in Keras before a softmax.
    sides = [tuple(side // stride for side in network.size_hw) for stride in _STRIDES]
    rows = [
        (axis, shape[axis], height, width)
        for axis in (2, 1)
        for height, width in sides if height * width == shape[3 - axis]
    ]
    # A first axis longer than 1 is not the batch.
    return [*rows, (0, 1, shape[1], shape[2])] if shape[0] == 1 else rows


def _labels(network: Network, output: str, own: OwnScores) -> list[OutputInterpretation]:
    (tensor_info,) = network.tensor_infos([integer_source(network, own.tensor)])
    if not holds_labels(network, tensor_info):
        return []
    shape = tensor_info.shape if len(tensor_info.shape) > 2 else (1, *tensor_info.shape)
    plane = tuple(side for axis, side in enumerate(shape) if axis == 0 or side > 1)
    if len(plane) != 3 or not spans_image(network, plane[1:]):
        return []
    size = f'{plane[1]}x{plane[2]}'
    highest, with_none = _highest_label(network, tensor_info)
    matte = ScoreMeaning('sigmoid', 255 if highest > 1 else 1, False)
    read = partial(OutputInterpretation, NAME, 'semantic', (tensor_info,))
    words = f'labels of {tensor_info.name} at {size}, no scores and no confidence'
    found = [read(
        0, f'{words}, {_NONE} for no class' if with_none else words,
        partial(_decode_labels, plane[1:]), (output,), max(highest, 1) + 1,
    )]
    if highest <= 1 or highest >= _MIN_MATTE:
        found += [
            read(
                classes, f'a mask of {tensor_info.name} at {size}, {meaning_words(matte)}',
                partial(_decode_matte, plane[1:], matte), (output,),
            )
            for classes in ([1, 2] if highest > 1 else [1])
        ]
    return found


def _highest_label(network: Network, tensor_info: TensorInfo) -> tuple[int, bool]:
    """Return the highest label, and whether 255 among low labels means no class."""
    labels = np.unique(np.concatenate(network.trial_values(tensor_info.name))).astype(int)
    highest = int(labels[-1])
    if highest == 0 and is_multiple(network, tensor_info.name, _NONE):
        return _NONE, False     # a mask that is empty on these images
    if highest != _NONE or not 1 <= max(labels[:-1], default=0) < _MIN_MATTE:
        return highest, False
    return int(labels[-2]), True


def meaning_words(matte: ScoreMeaning) -> str:
    """Describe which value stands for the class."""
    return f'{matte.unit:g} for the class'


def _crop_warning(network_hw: tuple[int, int], map_hw: tuple[int, int]) -> list[str]:
    """Return a warning if a map is smaller than the image by less than a stride."""
    ratio = network_hw[0] / map_hw[0]
    padded = {tuple(ceil(side / stride) for side in network_hw) for stride in _STRIDES}
    is_strided = ratio > 1.5 and abs(ratio - round(ratio)) < 0.1
    if ratio <= 1 or is_strided or map_hw in padded:
        return []
    return [
        f'warning: scores of {map_hw[0]}x{map_hw[1]} are taken to span the whole image of '
        f'{network_hw[0]}x{network_hw[1]}; a network without padding covers only its middle: '
        'export it with padding'
    ]


def _decode_labels(
    map_hw: tuple[int, int], tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """Decode labels; values that are not classes of the card, such as -1, become no class."""
    floats = op.cast(tensors[0], to=np.float32)
    plane = op.reshape(floats, op.const(np.array([-1, *map_hw])))
    classes = len(card.classes)
    labels = label_output(_known(plane, classes), classes)
    return Decoded({'labels': labels}, notes=unread_scores(card, 'the network gives labels'))


def _known(labels: Var, classes: int) -> Var:
    """Replace labels that are not channels by that of no class: 255, or -1 with many classes."""
    none = np.float32(_NONE if classes <= MAX_BYTE_CLASSES else -1)
    inside = op.and_(
        op.greater_or_equal(labels, scalar(0)),
        op.less(labels, scalar(classes)),
    )
    return op.where(inside, labels, op.const(none))


def _decode_matte(
    map_hw: tuple[int, int], matte: ScoreMeaning, tensors: Sequence[Var], card: ModelCard,
    options: ExportOptions,
) -> Decoded:
    """Decode a mask of integers as the probability of the single class that it shows."""
    floats = op.cast(tensors[0], to=np.float32)
    plane = op.reshape(floats, op.const(np.array([-1, 1, *map_hw])))
    logits, activation = competing(plane, matte, 1, len(card.classes))
    notes = unread_scores(card, f'the network gives a mask, {meaning_words(matte)}')
    return Decoded({'logits': logits}, {'activation': activation}, notes)
