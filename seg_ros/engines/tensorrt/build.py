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

"""
Build a TensorRT plan from ONNX, in a separate process since a build may crash or hang.

    python -m seg_ros.engines.tensorrt.build FOLDER

reads `options.json`, `model.onnx` and `timing` from the folder and writes `plan` and `timing`
there. It reports progress on stdout, one JSON object per line, and exits when stdin is closed.
"""

from collections.abc import Callable
from dataclasses import asdict
import json
import os
from pathlib import Path
import sys
from threading import Thread
from typing import Any, NamedTuple

from seg_ros.core.errors import EngineError, GpuMemoryError, SegError
from seg_ros.core.progress import Report
from seg_ros.engines.tensorrt.build_options import BuildOptions
from seg_ros.engines.tensorrt.build_progress import Phases
from seg_ros.engines.tensorrt.flavour import Flavour, load_flavour, RTX, TYPED
from seg_ros.engines.tensorrt.log import log_of, says_no_memory

OPTIONS, MODEL, TIMING, PLAN = 'options.json', 'model.onnx', 'timing', 'plan'
MIB = 1 << 20


class Built(NamedTuple):
    """
    The results of a build.

    :param timing: TensorRT's timing cache, which shortens the next build; TensorRT-RTX has
        none.
    """

    plan: bytes
    timing: bytes


def build_plan(
    onnx: bytes, options: BuildOptions, timing: bytes, report: Report, note: Callable[[str], None]
) -> Built:
    """
    Compile a graph for the GPU, which takes minutes with the full TensorRT.

    :param timing: timing cache of earlier builds; may be empty.
    :param report: called with the progress.
    :param note: called with each note on the plan for the user.
    :raises EngineError: if the build fails, with TensorRT's message.
    """
    flavour = load_flavour(options.flavour)
    trt = flavour.trt
    log = log_of(trt)
    trt.init_libnvinfer_plugins(log, '')
    try:
        builder = trt.Builder(log)
    except TypeError as error:  # the bindings' error for a null pointer
        raise _failure('TensorRT does not start', log.words()) from error
    network = builder.create_network(_network_flags(flavour))
    _parse(flavour, network, _portable(onnx), log)
    if options.dla_core >= 0:
        _set_batch(network, options.max_batch)
    config = builder.create_builder_config()
    if flavour.typed:
        config.progress_monitor = _monitor(trt, Phases(report))
    else:
        report('building; TensorRT 8 reports no progress', 0.0)
        note('one image per call: TensorRT 8 execution contexts cannot share a profile')
    _set_limits(trt, config, options)
    if flavour.name == RTX:
        _set_targets(trt, config, options.compute_capabilities)
    else:
        _set_timing(config, timing)
    if options.dla_core >= 0:
        _set_dla(trt, builder, network, config, options.dla_core, note)
    _set_profile(builder, network, config, options.max_batch, log)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise _failure('TensorRT built no plan', log.words())
    return Built(bytes(plan), b'' if flavour.name == RTX else _timing(config))


def _failure(seen: str, words: str) -> EngineError:
    return (GpuMemoryError if says_no_memory(words) else EngineError)(f'{seen}: {words}')


def _network_flags(flavour: Flavour) -> int:
    """Return the creation flags of a network, strongly typed if this TensorRT supports it."""
    if flavour.name == RTX or flavour.major > TYPED:
        return 0
    if flavour.typed:
        return 1 << int(flavour.trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    return 1 << int(flavour.trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH)


def _portable(onnx: bytes) -> bytes:
    """Rewrite operators that TensorRT is known to compile wrongly."""
    if b'GridSample' not in onnx:
        return onnx
    try:
        from seg_ros.engines.grid_sample import without_grid_sample
    except ImportError as error:
        raise EngineError(
            f'a model with GridSample, which is rewritten for TensorRT ({error})', 'onnx',
            'pip install onnx',
        ) from error
    return without_grid_sample(onnx)


def _parse(flavour: Flavour, network: Any, onnx: bytes, log: Any) -> None:
    parser = flavour.trt.OnnxParser(network, log)
    if parser.parse(onnx):
        return
    words = []
    if flavour.typed:       # older parsers do not name the node
        faults = [parser.get_error(index) for index in range(parser.num_errors)]
        words = [
            f'{fault.node_operator()} {fault.node_name()!r}: {fault.desc()}' for fault in faults
        ]
    logged = log.words()    # the same errors, with lines of the parser's source
    raise EngineError(f'TensorRT cannot read the graph: {"; ".join(words) or logged}')


def _set_batch(network: Any, count: int) -> None:
    """Fix the batch size, as a DLA requires."""
    tensor = network.get_input(0)
    tensor.shape = (count, *tensor.shape[1:])


def _monitor(trt: Any, phases: Phases) -> Any:

    class Monitor(trt.IProgressMonitor):

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            phases.start(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            phases.step(phase_name, step)
            return True

        def phase_finish(self, phase_name: str) -> None:
            phases.finish(phase_name)

    return Monitor()


def _set_limits(trt: Any, config: Any, options: BuildOptions) -> None:
    if options.workspace_mib:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mib * MIB)
    if options.optimization_level >= 0:
        config.builder_optimization_level = options.optimization_level
    if options.hardware_compatibility != 'none':
        level = options.hardware_compatibility.upper()
        config.hardware_compatibility_level = _member(trt.HardwareCompatibilityLevel, level)


def _set_targets(trt: Any, config: Any, names: tuple[str, ...]) -> None:
    """Set the target GPUs; without any, TensorRT-RTX builds for the GPU of this machine."""
    if not names:
        return
    known = trt.ComputeCapability.__members__
    if unknown := sorted(set(names) - set(known)):
        raise EngineError(
            f'{", ".join(unknown)}, which this TensorRT-RTX does not support',
            ' '.join(sorted(name for name in known if name.startswith('SM'))),
            'use the full TensorRT on such a GPU',
        )
    config.num_compute_capabilities = len(names)
    for index, name in enumerate(names):
        config.set_compute_capability(known[name], index)


def _member(kind: Any, name: str) -> Any:
    """Return a member of an enumeration, which older versions may lack."""
    names = sorted(kind.__members__)
    if name not in names:
        raise EngineError(f'{kind.__name__} {name} with this TensorRT', ', '.join(names))
    return kind.__members__[name]


def _set_timing(config: Any, timing: bytes) -> None:
    """Use the timing cache of earlier builds, unless TensorRT refuses it."""
    cache = config.create_timing_cache(timing)
    if cache is None or not config.set_timing_cache(cache, False):
        config.set_timing_cache(config.create_timing_cache(b''), False)


def _timing(config: Any) -> bytes:
    cache = config.get_timing_cache()
    return bytes(cache.serialize())


def _set_dla(
    trt: Any, builder: Any, network: Any, config: Any, core: int, note: Callable[[str], None]
) -> None:
    """Run supported layers on the DLA and the others on the GPU, and note their number."""
    if core >= builder.num_DLA_cores:
        raise EngineError(
            f'dla_core: {core}, but TensorRT finds {builder.num_DLA_cores} DLA cores here', '-1'
        )
    config.default_device_type = trt.DeviceType.DLA
    config.DLA_core = core
    config.set_flag(trt.BuilderFlag.GPU_FALLBACK)
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    left = sum(not config.can_run_on_DLA(layer) for layer in layers)
    note(f'DLA core {core} runs {len(layers) - left} of {len(layers)} layers, the GPU the others')
    note('one image per call: the DLA does not support variable batch sizes')


def _set_profile(builder: Any, network: Any, config: Any, max_batch: int, log: Any) -> None:
    """If the batch is dynamic, allow 1 to `max_batch` images and optimise for the largest."""
    tensor = network.get_input(0)
    count, *rest = tensor.shape
    if count >= 0:
        return
    profile = builder.create_optimization_profile()
    profile.set_shape(tensor.name, *((size, *rest) for size in (1, max_batch, max_batch)))
    if config.add_optimization_profile(profile) < 0:
        raise _failure(f'TensorRT refuses batches of 1 to {max_batch}', log.words())


def main() -> None:
    """Build the plan that the folder describes."""
    # Output of libraries must not mix with our JSON lines, so it goes to stderr.
    channel = os.fdopen(os.dup(sys.stdout.fileno()), 'w', buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    os.umask(0o077)
    Thread(target=_end_with_parent, daemon=True).start()

    def say(**words: Any) -> None:
        channel.write(json.dumps(words) + '\n')

    folder = Path(sys.argv[1])
    try:
        _build(folder, say)
    except SegError as error:
        say(error=[type(error).__name__, error.seen, error.expected, error.do])
    except OSError as error:
        say(error=[
            'EngineError', f'{folder.parent} cannot be used ({error.strerror})',
            'a writable folder with free space', 'name another cache_dir',
        ])
    else:
        say(done=True)


def _build(folder: Path, say: Callable[..., None]) -> None:
    built = build_plan(
        (folder / MODEL).read_bytes(),
        options_from_json((folder / OPTIONS).read_text(encoding='utf-8')),
        (folder / TIMING).read_bytes(),
        lambda phase, share: say(phase=phase, share=share),
        lambda words: say(note=words),
    )
    (folder / PLAN).write_bytes(built.plan)
    (folder / TIMING).write_bytes(built.timing)


def options_from_json(text: str) -> BuildOptions:
    """Parse options that `json_from_options` wrote."""
    values = json.loads(text)
    values['compute_capabilities'] = tuple(values['compute_capabilities'])
    return BuildOptions(**values)


def json_from_options(options: BuildOptions) -> str:
    """Serialise options for the build process."""
    return json.dumps(asdict(options))


def _end_with_parent() -> None:
    """Exit when the parent closes our stdin, which also happens when it is killed."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


if __name__ == '__main__':
    main()
