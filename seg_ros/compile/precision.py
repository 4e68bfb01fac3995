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

"""Reduces the precision of a compiled model, and records how its masks compare with fp32."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
import json
from typing import Any

import onnx
from seg_ros.compile.compiled import (
    compiled_from_model,
    CompiledModel,
    metadata_of,
    write_metadata,
)
from seg_ros.compile.fp16 import with_fp16_trunk
from seg_ros.compile.int8 import with_int8_trunk
from seg_ros.compile.operators import check_operators
from seg_ros.core.compiled_file import PARITY
from seg_ros.core.errors import ModelError, SettingError
from seg_ros.core.frame import Pixels

PRECISIONS = ('fp32', 'fp16', 'int8')


def convert_precision(
    compiled: CompiledModel, precision: str, batches: Iterable[Pixels] = (),
    keep: Sequence[str] = (),
) -> CompiledModel:
    """
    Convert the network of a compiled model to a precision; inputs and outputs keep their types.

    :param precision: one of `PRECISIONS`; `fp32` returns the model unchanged.
    :param batches: calibration images for int8, uint8 (1, H, W, channels).
    :param keep: name patterns of nodes that stay in fp32.
    :raises SettingError: if the precision is unknown, a pattern matches no node, or int8 finds no
        convolution.
    :raises ImageError: if int8 gets no images.
    :raises ModelError: if the model is reduced already, or TensorRT would reject the result.
    """
    if precision not in PRECISIONS:
        raise SettingError(f'precision {precision!r}', f'one of {", ".join(PRECISIONS)}')
    if compiled.precision != 'fp32':
        raise ModelError(
            f'a model in {compiled.precision}', 'one in fp32', 'start from the exported network'
        )
    if precision == 'fp32':
        return compiled
    if precision == 'fp16':
        model = with_fp16_trunk(compiled.model, keep)
    else:
        model = with_int8_trunk(compiled.model, batches, keep)
    signature = replace(compiled.signature, precision=precision)
    write_metadata(model, compiled.card, signature, compiled.notes)
    if violations := check_operators(model):
        found = '; '.join(map(str, violations))
        raise ModelError(f'in {precision}, not every engine takes {found}')
    onnx.checker.check_model(model, full_check=True)
    return compiled_from_model(model, compiled.card.name)


def with_parity(compiled: CompiledModel, parity: Mapping[str, Any]) -> CompiledModel:
    """Return the model with figures in its metadata of how its masks compare with fp32."""
    model = onnx.ModelProto()
    model.CopyFrom(compiled.model)
    texts = {**metadata_of(model), PARITY: json.dumps(dict(parity))}
    onnx.helper.set_model_props(model, texts)
    return replace(compiled, model=model, parity=dict(parity))
