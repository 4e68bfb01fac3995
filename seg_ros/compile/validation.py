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

"""Checks a compiled graph: for valid ONNX, for unsupported operators, and in a run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
import onnx
from seg_ros.compile.operators import check_operators, Violation
from seg_ros.compile.prompt_inputs import trial_boxes
from seg_ros.compile.run_onnx import Arrays, run_onnx
from seg_ros.core.errors import ContractError, ModelError
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import IMAGE, outputs_from_tensors, PROMPTS, TENSORS


def check_graph(model: onnx.ModelProto) -> None:
    """
    Check a graph with the ONNX checker and for unsupported operators.

    :raises ModelError: if it is not valid, or not every engine supports its operators.
    """
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(f'the compiled graph is not valid ONNX: {error}') from error
    refuse_operators(check_operators(model))


def trial_outputs(model: onnx.ModelProto, signature: ModelSignature) -> Arrays:
    """
    Run a graph on a black image.

    :returns: arrays by output name.
    :raises ModelError: if the graph does not run, or its outputs are not of the engine's types.
    """
    feeds: dict[str, NDArray[Any]] = {
        IMAGE: np.zeros((1, *signature.size_hw, signature.channels), np.uint8)
    }
    if signature.promptable:
        feeds[PROMPTS] = trial_boxes(signature.max_prompts, signature.size_hw)
    found = run_onnx(model)(feeds)
    try:
        outputs_from_tensors({name: found[name] for name in found if name in TENSORS}, 1)
    except ContractError as error:
        raise ModelError(f'the compiled graph breaks its contract: {error}') from error
    return found


def refuse_operators(violations: Sequence[Violation]) -> None:
    """
    Raise an error for unsupported operators, with one node named for each piece of advice.

    :raises ModelError: if there are any.
    """
    if not violations:
        return
    subjects: dict[str, list[str]] = {}
    for violation in violations:
        subjects.setdefault(violation.reason, []).append(violation.subject)
    reasons = [
        f'{first} (and {len(others)} more): {reason}' if others else f'{first}: {reason}'
        for reason, (first, *others) in subjects.items()
    ]
    raise ModelError(
        f'not every engine takes {"; ".join(reasons)}',
        'operators that TensorRT, OpenVINO and ONNX Runtime run alike',
    )
