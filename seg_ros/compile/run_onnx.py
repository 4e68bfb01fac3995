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

"""Runs a graph in ONNX Runtime during compilation."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from numpy.typing import NDArray
import onnx
import onnxruntime as ort
from seg_ros.core.errors import ModelError
from seg_ros.engines.onnxruntime import FAILURES

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

_FATAL_ONLY = 4


def run_onnx(model: onnx.ModelProto) -> Callable[[Arrays], Arrays]:
    """
    Load a graph for a few runs.

    :returns: function from arrays by input name to arrays by output name. It raises ModelError
        if the graph does not run on them.
    :raises ModelError: if ONNX Runtime rejects the graph.
    """
    options = ort.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    # Threads that busy-wait make a loaded machine many times slower.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    try:
        session = ort.InferenceSession(
            model.SerializeToString(), options, providers=['CPUExecutionProvider']
        )
    except FAILURES as error:
        words = _words(error)
        seen = f'ONNX Runtime refuses the network: {words}'
        raise ModelError(seen, do=_advice(words)) from error
    names = [output.name for output in session.get_outputs()]

    def run(feeds: Arrays) -> Arrays:
        try:
            return dict(zip(names, session.run(names, dict(feeds)), strict=True))
        except FAILURES as error:
            words = _words(error)
            raise ModelError(f'the network does not run: {words}', do=_advice(words)) from error

    return run


def _advice(words: str) -> str:
    """Return advice on the most common cause of dimensions that do not match."""
    if 'dimension' not in words.lower():
        return ''
    return 'check input.size in the card: most networks take only multiples of 32'


def _words(error: Exception) -> str:
    """Return the end of the last line; before it are paths of ONNX Runtime's source files."""
    return str(error).strip().splitlines()[-1][-300:]
