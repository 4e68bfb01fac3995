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

"""Operations on tensors that several parts of a compiled graph share."""

from collections.abc import Sequence

import numpy as np
from seg_ros.core.signature import Upsampling
from spox import Var
import spox.opset.ai.onnx.v17 as op

MAX_BYTE_CLASSES = 254


def scalar(value: float) -> Var:
    """Return a float32 constant."""
    return op.const(np.float32(value))


def indicator(condition: Var) -> Var:
    """Return 1 where a condition is true and 0 elsewhere, float32."""
    return op.cast(condition, to=np.float32)


def label_output(indexes: Var, classes: int) -> Var:
    """
    Convert class indexes to the type of the output `labels`.

    :param classes: number of classes, on which the type depends.
    :returns: uint8, or int32 above 254 classes. TensorRT converts to uint8 only from floats.
    """
    if classes > MAX_BYTE_CLASSES:
        return op.cast(indexes, to=np.int32)
    return op.cast(op.cast(indexes, to=np.float32), to=np.uint8)


def resize(maps: Var, size_hw: Sequence[int], rule: Upsampling) -> Var:
    """Interpolate maps (N, C, h, w) linearly to another height and width."""
    batch_and_channels = op.slice(op.shape(maps), op.const([0]), op.const([2]))
    return op.resize(
        maps, sizes=op.concat([batch_and_channels, op.const(np.array(size_hw))], axis=0),
        mode='linear', coordinate_transformation_mode=rule,
    )
