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

"""The TensorRT plan of a model on this machine: read from the cache, or built into it."""

from collections.abc import Sequence
from dataclasses import dataclass
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from seg_ros.core.compiled_file import CompiledFile
from seg_ros.core.errors import EngineError, PlanError
from seg_ros.core.output_choice import choose_outputs
from seg_ros.core.progress import Cancelled, never, Report, silent
from seg_ros.core.settings import Settings
from seg_ros.core.signature import UpsampleMode
from seg_ros.engines.cuda.gpu import Gpu
from seg_ros.engines.private_folder import PrivateFolder
from seg_ros.engines.tensorrt.build import PLAN, TIMING
from seg_ros.engines.tensorrt.build_options import options_from_settings
from seg_ros.engines.tensorrt.build_process import build_in_child
from seg_ros.engines.tensorrt.cache_key import CacheKey, machine_of
from seg_ros.engines.tensorrt.flavour import Flavour, load_flavour
from seg_ros.engines.tensorrt.plan_cache import PlanCache

AUTO: UpsampleMode = 'graph'  # meaning of `upsample: auto` on a GPU


@dataclass(frozen=True, eq=False)
class BuildRequest:
    """
    A request for a plan.

    :param gpu_index: ordinal of the GPU that it is built on.
    """

    model: CompiledFile
    cache_key: CacheKey
    gpu_index: int
    cache: PlanCache


def plan_for(
    compiled: CompiledFile,
    settings: Settings,
    gpu: Gpu,
    report: Report = silent,
    cancelled: Cancelled = never,
) -> bytes:
    """
    Return a plan from the cache, or build it, which takes minutes; one process builds at a time.

    :param report: called with the progress, and with the reason if a cached plan is not used.
    :param cancelled: polled meanwhile; True cancels the build.
    :raises SettingError: if this TensorRT or this model does not support the settings.
    :raises EngineError: if TensorRT is missing or fails (with its message), or if the cache cannot
        be used.
    """
    return plan_of(build_request_for(compiled, settings, gpu), report, cancelled)


def plan_of(request: BuildRequest, report: Report = silent, cancelled: Cancelled = never) -> bytes:
    """Return a requested plan; see `plan_for`."""
    plan = _from_cache(request, report)
    if plan is None:
        purpose = f'which builds {request.model.card.name}'
        with request.cache.folder.locked(purpose, report, cancelled):
            plan = _from_cache(request, silent) or _build(request, report, cancelled)
    return plan


def cached(compiled: CompiledFile, settings: Settings, gpu: Gpu) -> bool:
    """Return whether the plan is in the cache."""
    return _from_cache(build_request_for(compiled, settings, gpu), silent) is not None


def remove_plan(compiled: CompiledFile, settings: Settings, gpu: Gpu) -> None:
    """Remove a plan from the cache, e.g. one that the runtime refused."""
    request = build_request_for(compiled, settings, gpu)
    with request.cache.folder.locked(f'which removes the plan of {request.model.card.name}'):
        request.cache.remove(request.cache_key)


def open_cache(settings: Settings) -> PlanCache:
    """
    Open the cache folder of the settings, or the user's default one.

    :raises EngineError: if it cannot be used or others can write to it.
    """
    return PlanCache(PrivateFolder(cache_folder(settings)))


def cache_folder(settings: Settings) -> Path:
    """Return the path of the plan cache."""
    if settings.cache_dir:
        return Path(os.path.expanduser(settings.cache_dir)).absolute()
    base = os.environ.get('XDG_CACHE_HOME', '')
    return Path(base if os.path.isabs(base) else os.path.expanduser('~/.cache')) / 'seg_ros'


def build_for_others(
    compiled: CompiledFile,
    settings: Settings,
    flavour: Flavour,
    compute_capabilities: Sequence[str],
    file: Path,
    report: Report,
) -> list[str]:
    """
    Build a plan for GPUs that this machine may not have, as TensorRT-RTX can.

    :param compute_capabilities: of the target GPUs, e.g. `8.9`.
    :param file: written atomically.
    :returns: notes on the plan for the user.
    :raises EngineError: if the build fails or the file cannot be written.
    """
    choice = choose_outputs(compiled.signature, settings, AUTO)
    options = options_from_settings(
        settings, compiled.signature, flavour, compute_capabilities
    )
    try:
        with TemporaryDirectory(dir=file.absolute().parent) as folder:
            notes = build_in_child(
                Path(folder), compiled.graph_of(choice.names), options, b'', 0, report, never
            )
            os.replace(Path(folder, PLAN), file)
    except OSError as error:
        raise EngineError(
            f'{file} cannot be written ({error.strerror})', 'a writable folder'
        ) from error
    return notes


def build_request_for(compiled: CompiledFile, settings: Settings, gpu: Gpu) -> BuildRequest:
    """
    Return the request for the plan of a model on a GPU.

    :raises SegError: as `plan_for` does before it builds.
    """
    flavour = load_flavour()
    choice = choose_outputs(compiled.signature, settings, AUTO)
    options = options_from_settings(
        settings, compiled.signature, flavour, [gpu.compute_capability]
    )
    cache_key = CacheKey(
        compiled.sha256, compiled.precision, tuple(choice.names), machine_of(flavour, gpu), options
    )
    return BuildRequest(compiled, cache_key, gpu.index, open_cache(settings))


def _from_cache(request: BuildRequest, report: Report) -> bytes | None:
    """Return the cached plan; one that must not be used counts as missing."""
    try:
        return request.cache.load(request.cache_key)
    except PlanError as error:
        report(f'rebuilding: {error}', 0.0)
        return None


def _build(request: BuildRequest, report: Report, cancelled: Cancelled) -> bytes:
    cache, cache_key = request.cache, request.cache_key
    for name in cache.folder.leftovers():
        cache.folder.remove(name)
    try:
        timing = cache.timing(cache_key.machine)
    except PlanError as error:
        report(f'rebuilding: {error}', 0.0)
        timing = b''
    begun = monotonic()
    with cache.folder.temporary_folder() as folder, cache.folder.errors():
        notes = build_in_child(
            folder, request.model.graph_of(cache_key.outputs), cache_key.options, timing,
            request.gpu_index, report, cancelled,
        )
        cache.keep_timing(cache_key.machine, (folder / TIMING).read_bytes())
        name, took_s = request.model.card.name, monotonic() - begun
        return cache.store(cache_key, folder / PLAN, name, took_s, notes)
