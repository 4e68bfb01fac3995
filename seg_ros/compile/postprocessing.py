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

"""Computes labels and confidence from scores, at every size that an engine may request."""

from collections.abc import Sequence

import numpy as np
from seg_ros.compile.tensor_ops import label_output, resize, scalar
from seg_ros.core.card import ModelCard
from seg_ros.core.signature import Activation, ModelSignature, NETWORK_SIZE, sized
from seg_ros.image.bilinear_sampling import AxisInterpolation, row_and_column_interpolation
from seg_ros.image.fit import fit_for
from spox import Var
import spox.opset.ai.onnx.v17 as op

Size = tuple[int, int]
_BYTE = np.float32(0), np.float32(255)


def label_outputs(
    logits: Var, card: ModelCard, signature: ModelSignature, source_sizes: Sequence[Size] = ()
) -> dict[str, Var]:
    """
    Compute `labels` and `confidence` at the size of the scores, of the network and of images.

    :param logits: float32 (N, C, h, w).
    :param signature: signature of the graph; states how the network would enlarge `logits`.
    :param source_sizes: heights and widths of images.
    :returns: outputs by name; scores of the network's size give only one pair for both sizes.
    """
    classes = len(card.classes)
    outputs = _labels_of(logits, classes, signature, '')
    map_hw = _map_size(logits)
    if map_hw != signature.size_hw:
        large = resize(logits, signature.size_hw, signature.upsampling)
        outputs |= _labels_of(large, classes, signature, NETWORK_SIZE)
    for size in source_sizes:
        scores = _at_source(logits, map_hw, card, signature, size)
        outputs |= _labels_of(scores, classes, signature, size)
    return outputs


def _labels_of(
    scores: Var, classes: int, signature: ModelSignature, size: str | Size
) -> dict[str, Var]:
    labels, confidence = (
        sized(name, size) if size else name for name in ('labels', 'confidence')
    )
    best = op.arg_max(scores, axis=1, keepdims=False)
    return {
        labels: label_output(best, classes),
        confidence: _confidence(scores, signature.activation),
    }


def _map_size(logits: Var) -> Size:
    height, width = (logits.unwrap_tensor().shape or ())[2:]
    if not (isinstance(height, int) and isinstance(width, int)):
        raise TypeError(f'scores of unknown size: {height}x{width}')
    return height, width


def _at_source(
    scores: Var, map_hw: Size, card: ModelCard, signature: ModelSignature, source_hw: Size
) -> Var:
    """Interpolate all pixels as `masks.class_map` does along label edges: rows, then columns."""
    fit = fit_for(source_hw, signature.size_hw, card.input)
    axes = row_and_column_interpolation(fit, map_hw, signature.upsampling, signature.enlarged)
    for axis, along_axis in enumerate(axes, start=2):
        scores = _weighted(scores, along_axis, axis)
    return scores


def _weighted(scores: Var, along_axis: AxisInterpolation, axis: int) -> Var:
    """Sum the neighbours with nonzero weights along one axis of (N, C, h, w)."""
    parts = []
    for offset, weights in enumerate(along_axis.weights):
        if weights.any():
            index = np.minimum(along_axis.first + offset, along_axis.size - 1)
            column = weights.reshape((-1, 1) if axis == 2 else (-1,))
            parts.append(op.mul(op.gather(scores, op.const(index), axis=axis), op.const(column)))
    return op.sum(parts)


def _confidence(scores: Var, activation: Activation) -> Var:
    """
    Return 255 times the probability of the best class, uint8 (N, h, w).

    For a softmax this is 255 / sum(exp(s - max s)), without computing all probabilities.
    """
    if activation != 'softmax':
        share = most = op.reduce_max(scores, axes=[1], keepdims=False)
        if activation == 'sigmoid':
            share = op.sigmoid(most)
        if activation == 'share':
            total = op.reduce_sum(scores, op.const([1]), keepdims=False)
            share = op.div(most, op.max([total, scalar(1)]))
        level = op.clip(op.mul(share, scalar(255)), *map(op.const, _BYTE))
        return op.cast(op.round(level), to=np.uint8)
    margin = op.sub(scores, op.reduce_max(scores, axes=[1], keepdims=True))
    total = op.reduce_sum(op.exp(margin), op.const([1]), keepdims=False)
    return op.cast(op.round(op.div(scalar(255), total)), to=np.uint8)
