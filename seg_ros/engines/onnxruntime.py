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

"""ONNX Runtime: the reference that other engines are compared with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.engine import EngineFacts
from seg_ros.core.errors import EngineError
from seg_ros.core.output_choice import choose_outputs, OutputChoice
from seg_ros.core.settings import Settings
from seg_ros.core.tensors import Feeds
from seg_ros.engines.blocking import BlockingEngine, Run
from seg_ros.engines.prototype_masks import detections_from_candidates

# ONNX Runtime's errors have no common base class.
FAILURES = tuple(
    kind
    for kind in vars(onnxruntime_pybind11_state).values()
    if isinstance(kind, type) and issubclass(kind, Exception)
)


def open_onnxruntime(path: Path, settings: Settings) -> BlockingEngine:
    """
    Open a session on the CPU, in the precision of the file.

    :raises ModelError: if the file cannot be read.
    :raises EngineError: if ONNX Runtime refuses the model or the device is not the CPU.
    """
    if settings.device.lower() not in ('auto', 'cpu'):
        raise EngineError(f'ONNX Runtime on device {settings.device!r}', 'auto or CPU')
    compiled = read_compiled(path)
    choice = choose_outputs(compiled.signature, settings, 'edges', on_host=True)
    graph = compiled.graph_of(choice.names)
    session = _open_session(graph, settings, path.name)
    precision = 'f32' if compiled.precision == 'fp32' else compiled.precision
    facts = EngineFacts(
        'onnxruntime', 'CPU', precision, settings.threads, choice.upsample, ort.__version__,
        choice.notes,
    )
    runs = [_run(session, choice)] * settings.workers
    engine = BlockingEngine(compiled.card, choice.signature, facts, runs)
    engine.warm_up()
    return engine


def _open_session(graph: bytes, settings: Settings, name: str) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3      # errors
    options.intra_op_num_threads = settings.threads
    try:
        return ort.InferenceSession(graph, options, providers=['CPUExecutionProvider'])
    except FAILURES as error:
        raise EngineError(f'ONNX Runtime cannot open {name}: {error}') from error


def _run(session: ort.InferenceSession, choice: OutputChoice) -> Run:
    """Return a callable that runs the session and may be called by several threads at once."""
    on_host = choice.on_host

    def run(feeds: Feeds) -> Mapping[str, NDArray[Any]]:
        try:
            results = session.run(
                list(choice.names),
                {name: np.ascontiguousarray(array) for name, array in feeds.items()},
            )
        except FAILURES as error:
            raise EngineError(f'ONNX Runtime failed: {error}') from error
        tensors = dict(zip(choice.names.values(), results, strict=True))
        if on_host:
            return detections_from_candidates(tensors, choice.signature)
        return tensors

    return run
