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

"""Cleans up what PyTorch's exporter writes: converts doubles and folds constants."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import numpy_helper, TensorProto

_DOUBLE, _FLOAT = TensorProto.DOUBLE, TensorProto.FLOAT


def without_doubles(model: onnx.ModelProto) -> onnx.ModelProto:
    """
    Convert doubles to floats, in place.

    Tracing turns Python floats into doubles, also in Mask2Former's GridSample, which ONNX Runtime,
    and so `folded`, computes only in floats.
    """
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name in ('to', 'dtype') and attribute.i == _DOUBLE:
                attribute.i = _FLOAT
            if attribute.HasField('t') and attribute.t.data_type == _DOUBLE:
                attribute.t.CopyFrom(_single(attribute.t))
    for weight in model.graph.initializer:
        if weight.data_type == _DOUBLE:
            weight.CopyFrom(_single(weight))
    del model.graph.value_info[:]
    return model


def _single(tensor: TensorProto) -> TensorProto:
    values = numpy_helper.to_array(tensor).astype(np.float32)
    return numpy_helper.from_array(values, tensor.name)


def folded(model: onnx.ModelProto) -> onnx.ModelProto:
    """
    Fold everything that does not depend on the image, by ONNX Runtime's basic optimisation.

    The result contains only standard operators.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    with TemporaryDirectory() as folder:
        path = Path(folder) / 'folded.onnx'
        options.optimized_model_filepath = str(path)
        ort.InferenceSession(
            model.SerializeToString(), options, providers=['CPUExecutionProvider']
        )
        result = onnx.load(path)
    used = {node.domain for node in result.graph.node} | {''}
    opsets = [item for item in result.opset_import if item.domain in used]
    del result.opset_import[:]
    result.opset_import.extend(opsets)
    del result.graph.value_info[:]
    return result
