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

"""Implements `refine: crf` of a card: a dense CRF after a network's class scores."""

from math import ceil

import numpy as np
from seg_ros.compile.crf import CrfParameters, refined_logits, STRIDE
from seg_ros.compile.families.output_interpretation import Decoded
from seg_ros.compile.families.probabilities import logs_of
from seg_ros.compile.tensor_ops import resize
from seg_ros.core.errors import CardError
from seg_ros.core.signature import Upsampling
from spox import Var
import spox.opset.ai.onnx.v17 as op


def with_crf(
    decoded: Decoded, image: Var, size_hw: tuple[int, int],
    parameters: CrfParameters | None = None,
) -> Decoded:
    """
    Refine a family's class scores with the image, at a quarter of the network's resolution.

    Coarser scores are first enlarged as the network would do it. Finer scores keep their
    resolution: the change made by the CRF is enlarged and added to them.

    :param image: uint8 (N, H, W, channels), the compiled graph's input.
    :raises CardError: if the family has no class scores, or scores of independent classes.
    """
    if 'logits' not in decoded.tensors:
        raise CardError(
            'refine: crf for a network without class scores', 'a semantic network with scores'
        )
    logits = op.cast(decoded.tensors['logits'], to=np.float32)
    activation = decoded.facts.get('activation', 'softmax')
    if activation == 'sigmoid':
        raise CardError(
            'refine: crf for classes that are independent of each other', 'classes that compete',
        )
    if activation in ('none', 'share'):
        logits = logs_of(logits)
    rule: Upsampling = decoded.facts.get('upsampling', 'half_pixel')
    refined = _refine(logits, image, size_hw, rule, parameters)
    tensors = {**decoded.tensors, 'logits': refined}
    facts = {**decoded.facts, 'activation': 'softmax', 'arithmetic': 'f32'}
    return Decoded(tensors, facts, decoded.notes)


def _refine(
    logits: Var, image: Var, size_hw: tuple[int, int], rule: Upsampling,
    parameters: CrfParameters | None,
) -> Var:
    channels, *map_hw = (
        side for side in (logits.unwrap_tensor().shape or ())[1:] if isinstance(side, int)
    )
    field_hw = (ceil(size_hw[0] / STRIDE), ceil(size_hw[1] / STRIDE))
    colors = _colors(image, size_hw, field_hw)
    finer = STRIDE * map_hw[0] // size_hw[0]
    if finer <= 1:
        start = logits if tuple(map_hw) == field_hw else resize(logits, field_hw, rule)
        return refined_logits(start, colors, field_hw, channels, parameters)
    after = [finer * field - size for field, size in zip(field_hw, map_hw, strict=True)]
    start = op.average_pool(
        logits, kernel_shape=[finer] * 2, strides=[finer] * 2, pads=[0, 0, *after]
    )
    change = op.sub(refined_logits(start, colors, field_hw, channels, parameters), start)
    return op.add(logits, resize(change, map_hw, 'half_pixel'))


def _colors(image: Var, size_hw: tuple[int, int], field_hw: tuple[int, int]) -> Var:
    """Return the mean colour of each CRF pixel, float32 (N, 3, h, w)."""
    planes = op.transpose(op.cast(image, to=np.float32), perm=[0, 3, 1, 2])
    if (image.unwrap_tensor().shape or ())[-1] == 1:
        planes = op.concat([planes] * 3, axis=1)
    after = [STRIDE * field - size for field, size in zip(field_hw, size_hw, strict=True)]
    return op.average_pool(
        planes, kernel_shape=[STRIDE] * 2, strides=[STRIDE] * 2, pads=[0, 0, *after]
    )
