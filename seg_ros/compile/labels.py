"""Class indexes in the type that leaves the graph."""

import numpy as np
from spox import Var
import spox.opset.ai.onnx.v17 as op

MOST_BYTE_CLASSES = 254


def bytes_from_labels(indexes: Var, classes: int) -> Var:
    """
    Narrow class indexes to uint8, or to int32 where they need it.

    TensorRT makes bytes from floats only.
    """
    if classes > MOST_BYTE_CLASSES:
        return op.cast(indexes, to=np.int32)
    return op.cast(op.cast(indexes, to=np.float32), to=np.uint8)
