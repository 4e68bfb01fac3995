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

"""Converts class indexes to the type of the graph's output."""

import numpy as np
from spox import Var
import spox.opset.ai.onnx.v17 as op

MAX_BYTE_CLASSES = 254


def bytes_from_labels(indexes: Var, classes: int) -> Var:
    """
    Convert class indexes to uint8, or to int32 if there are too many classes.

    TensorRT converts to uint8 only from floats.
    """
    if classes > MAX_BYTE_CLASSES:
        return op.cast(indexes, to=np.int32)
    return op.cast(op.cast(indexes, to=np.float32), to=np.uint8)
