"""ONNX Runtime: the reference that other engines are compared with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import onnxruntime as ort
from seg_ros.compile.compiled import read_compiled
from seg_ros.compile.nms_loop import with_nms_loop
from seg_ros.compile.postprocessing import postprocessing_for
from seg_ros.compile.prototype_masks import mixture_of, without_mask_mixing
from seg_ros.compile.run_onnx import FAILURES
from seg_ros.core.engine import EngineFacts
from seg_ros.core.errors import EngineError
from seg_ros.core.frame import Pixels
from seg_ros.core.settings import Settings
from seg_ros.engines.blocking import BlockingEngine
from seg_ros.engines.prototype_masks import masks_from_prototypes


def open_onnxruntime(path: Path, settings: Settings) -> BlockingEngine:
    """
    Open a session on the CPU, in 32-bit floats unless the file says otherwise.

    :raises ModelError: if the file cannot be read.
    :raises EngineError: if ONNX Runtime refuses the model or knows no such device.
    """
    if settings.device not in ('auto', 'CPU', 'cpu'):
        raise EngineError(f'ONNX Runtime on device {settings.device!r}', 'auto or CPU')
    compiled = read_compiled(path)
    tailed = postprocessing_for(compiled, settings, 'edges')
    mixture = mixture_of(compiled)
    model = with_nms_loop(without_mask_mixing(tailed.model, mixture) if mixture else tailed.model)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = settings.threads
    try:
        session = ort.InferenceSession(
            model.SerializeToString(), options, providers=['CPUExecutionProvider']
        )
    except FAILURES as error:
        raise EngineError(f'ONNX Runtime cannot open {path.name}: {error}') from error
    names = [output.name for output in session.get_outputs()]

    def run(batch: Pixels) -> Mapping[str, NDArray[Any]]:
        try:
            results = session.run(names, {'image': np.ascontiguousarray(batch)})
        except FAILURES as error:
            raise EngineError(f'ONNX Runtime failed: {error}') from error
        return dict(zip(names, results, strict=True))

    precision = 'f32' if compiled.precision == 'fp32' else compiled.precision
    facts = EngineFacts(
        'onnxruntime', 'CPU', precision, settings.threads, tailed.upsample, ort.__version__
    )
    whole = masks_from_prototypes(run, mixture) if mixture else run
    return BlockingEngine(compiled.card, tailed.signature, facts, [whole] * settings.workers)
