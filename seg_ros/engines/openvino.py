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

"""OpenVINO: the default engine on a CPU."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import openvino as ov
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.engine import EngineFacts
from seg_ros.core.errors import EngineError
from seg_ros.core.output_choice import choose_outputs, OutputChoice
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Feeds
from seg_ros.engines.blocking import BlockingEngine, Run
from seg_ros.engines.private_folder import PrivateFolder
from seg_ros.engines.prototype_masks import detections_from_candidates


def open_openvino(path: Path, settings: Settings) -> BlockingEngine:
    """
    Compile a model for an OpenVINO device.

    Without `inference_precision: f32` OpenVINO chooses the precision: bf16 on CPUs that support
    it. Forcing bf16 on other CPUs is four times slower, so this is not an option.

    :raises ModelError: if the file cannot be read.
    :raises EngineError: if OpenVINO refuses the model or the device.
    """
    compiled = read_compiled(path)
    wanted = 'CPU' if settings.device.lower() == 'auto' else settings.device
    device = wanted.upper()     # as OpenVINO names devices
    choice = choose_outputs(compiled.signature, settings, 'edges', on_host=device == 'CPU')
    core = ov.Core()
    cache, notes = _cache_folder(settings)
    try:
        graph = core.read_model(compiled.graph_of(choice.names))
        _refuse_quantised_joins(graph, path.name)
        exact = _exact(settings, compiled.signature)
        networks = _compiled(core, graph, device, exact, cache)
        if cache:
            with suppress(EngineError):     # on a full disk
                cache.seal()
        requests = [network.create_infer_request() for network in networks]
        facts = EngineFacts(
            'openvino', f'{device} ({core.get_property(device, "FULL_DEVICE_NAME")})',
            _precision(networks[0], compiled.precision), sum(map(_threads, networks)),
            choice.upsample, ov.get_version(), (*notes, *choice.notes),
        )
    except RuntimeError as error:
        raise EngineError(f'OpenVINO cannot open {path.name} on {wanted}: {error}') from error
    names = _names(networks[0], choice)
    runs = [_run(request, names, choice) for request in requests]
    engine = BlockingEngine(compiled.card, choice.signature, facts, runs)
    # Before any worker runs: two simultaneous first calls can deadlock, one holding the GIL, the
    # other a lock of the binding's initialisation (releases up to 2026.4).
    engine.warm_up()
    return engine


def _refuse_quantised_joins(graph: ov.Model, name: str) -> None:
    """
    Refuse a graph that OpenVINO is known to compute wrongly.

    It moves a quantisation that follows a Concat to its inputs; releases up to 2026.4 then scale
    them wrongly: a trained YOLOv5 found nothing. ONNX Runtime computes the same file correctly.
    """
    if any(
        node.get_type_name() == 'FakeQuantize'
        and node.input_value(0).get_node().get_type_name() == 'Concat'
        for node in graph.get_ordered_ops()
    ):
        raise EngineError(
            f'{name} quantises the output of a Concat, which OpenVINO computes wrongly',
            do='set engine: onnxruntime, or compile the model in fp32 or fp16',
        )


def _compiled(
    core: ov.Core, graph: ov.Model, device: str, settings: Settings, cache: PrivateFolder | None
) -> list[ov.CompiledModel]:
    """
    Compile one network per worker; on devices other than the CPU, workers share one.

    A network with one stream computes in the calling thread; one with several streams hands each
    call to another thread. The cost is one copy of the weights per worker.
    """
    options, count, threads = _options(device, settings), settings.workers, settings.threads
    if cache:
        options['CACHE_DIR'] = str(cache.path)
    if device != 'CPU':
        return [core.compile_model(graph, device, options)] * count
    if count > 1 and not threads:
        threads = _threads(core.compile_model(graph, device, options))
    if threads:
        options['INFERENCE_NUM_THREADS'] = max(1, threads // count)
    return [core.compile_model(graph, device, options) for _ in range(count)]


def _exact(settings: Settings, signature: ModelSignature) -> Settings:
    """Return settings, with f32 inference if the network cannot be computed in 16 bits."""
    if signature.arithmetic == 'f32':
        return replace(settings, inference_precision='f32')
    return settings


def _options(device: str, settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {'PERFORMANCE_HINT': 'LATENCY'}
    if device == 'CPU':
        options['NUM_STREAMS'] = 1
        # With pinning, threads of two processes share a core while other cores idle.
        options['ENABLE_CPU_PINNING'] = False
    if settings.inference_precision == 'f32':
        options['INFERENCE_PRECISION_HINT'] = 'f32'
    return options


def _cache_folder(settings: Settings) -> tuple[PrivateFolder | None, tuple[str, ...]]:
    """
    Return the folder for compiled networks, private like that of TensorRT's plans, and notes.

    :returns: no folder if no cache is set, or if it cannot be used; then the notes say why.
    """
    if not settings.cache_dir:
        return None, ()
    try:
        whole = PrivateFolder(Path(settings.cache_dir).expanduser().absolute())
        folder = PrivateFolder(whole.path / 'openvino')
        folder.check_files()
        if os.access(folder.path, os.W_OK):
            folder.remove_unsealed()    # OpenVINO would run damaged files
    except EngineError as error:
        return None, (f'compiled networks are not cached: {error}',)
    if not os.access(folder.path, os.W_OK):
        return None, (f'compiled networks are not cached: {folder.path} is not writable',)
    return folder, ()


def _names(network: ov.CompiledModel, choice: OutputChoice) -> list[str]:
    """Return the contract's names of a network's outputs, in the network's order."""
    # A tensor that is passed through unchanged also has its name in the network.
    return [
        choice.names[next(iter(output.get_names() & choice.names.keys()))]
        for output in network.outputs
    ]


def _precision(network: ov.CompiledModel, written: str) -> str:
    """Return the precision of the computation, and that of the file if it is not fp32."""
    own: str = network.get_property('INFERENCE_PRECISION_HINT').get_type_name()
    return own if written == 'fp32' else f'{written} file in {own}'


def _threads(network: ov.CompiledModel) -> int:
    try:
        return int(network.get_property('INFERENCE_NUM_THREADS'))
    except RuntimeError:  # devices other than the CPU have no such property
        return 0


def _run(request: ov.InferRequest, names: list[str], choice: OutputChoice) -> Run:
    """Return a callable that runs one request and copies outputs that its next run overwrites."""
    on_host = choice.on_host

    def run(feeds: Feeds) -> Mapping[str, NDArray[Any]]:
        try:
            results = request.infer(
                {name: np.ascontiguousarray(array) for name, array in feeds.items()},
                share_inputs=True, share_outputs=True,
            )
        except RuntimeError as error:
            raise EngineError(f'OpenVINO failed: {error}') from error
        tensors = dict(zip(names, results.values(), strict=True))
        if on_host:
            tensors = detections_from_candidates(tensors, choice.signature)
        return {
            name: array if array.flags.owndata else array.copy()
            for name, array in tensors.items()
        }

    return run
