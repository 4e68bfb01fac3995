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

"""Plans for models come from the cache or from a child process, which may fail in many ways."""

from collections.abc import Iterator
from dataclasses import replace
import json
import os
from pathlib import Path
import resource
import signal
import subprocess
import sys
import time
from typing import Any

import onnx
from onnx import helper
from plan_process import ORIN
import pytest
from seg_ros.compile.compiled import write_metadata
from seg_ros.core.compiled_file import CompiledFile, read_compiled
from seg_ros.core.errors import EngineError, GpuMemoryError, ModelError, SettingError
from seg_ros.core.settings import Settings
from seg_ros.engines.tensorrt.plan_source import cache_folder, cached, plan_for, remove_plan
from tiny_model import echo_model, semantic_model

HERE = Path(__file__).parent
FAKES = HERE.parent / 'fakes'
ROOT = HERE.parents[1]
PATIENCE_S = 60


class Bench:
    """A model, a cache, and a TensorRT that can be made to fail."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cache = folder / 'cache'
        self.path = semantic_model(folder)
        self.compiled = read_compiled(self.path)
        self.settings = Settings(cache_dir=str(self.cache))
        self.reports: list[tuple[str, float]] = []
        self._log = folder / 'builds'
        self._patch = monkeypatch
        self.environ(FAKE_TENSORRT_LOG=str(self._log))

    def environ(self, **values: str) -> None:
        for name, value in values.items():
            self._patch.setenv(name, value)

    def written(self, model: onnx.ModelProto, **signature: Any) -> CompiledFile:
        """Write a changed model next to the first."""
        path = self.path.with_name('changed.onnx')
        changed = replace(self.compiled.signature, **signature)
        write_metadata(model, self.compiled.card, changed, [])
        onnx.save(model, path)
        return read_compiled(path)

    def plan(self, compiled: CompiledFile | None = None, **settings: Any) -> bytes:
        return plan_for(
            compiled or self.compiled, replace(self.settings, **settings), ORIN,
            lambda phase, share: self.reports.append((phase, share)),
        )

    @property
    def builds(self) -> list[dict[str, Any]]:
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [json.loads(line) for line in lines]

    def process(self) -> 'subprocess.Popen[str]':
        return subprocess.Popen(
            [sys.executable, str(HERE / 'plan_process.py'), str(self.path), str(self.cache)],
            stdout=subprocess.PIPE, text=True,
        )

    def files(self, pattern: str) -> list[Path]:
        return sorted(self.cache.glob(pattern))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.syspath_prepend(str(FAKES))
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(map(str, (FAKES, ROOT))))
    for name in ('tensorrt', 'tensorrt.building'):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield Bench(tmp_path, monkeypatch)
    for name in [name for name in sys.modules if name.partition('.')[0] == 'tensorrt']:
        del sys.modules[name]


def eventually(done: Any) -> None:
    for _ in range(PATIENCE_S * 50):
        if done():
            return
        time.sleep(0.02)
    pytest.fail('it never happened')


def test_a_plan_is_built_once_and_then_read(bench: Bench) -> None:
    assert not cached(bench.compiled, bench.settings, ORIN)
    plan = bench.plan()
    shares = [share for _, share in bench.reports]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert {'Optimizing', 'Timing tactics'} <= {phase for phase, _ in bench.reports}
    assert cached(bench.compiled, bench.settings, ORIN)
    bench.reports.clear()
    assert bench.plan() == plan
    assert bench.reports == []
    assert len(bench.builds) == 1
    assert bench.builds[0]['pid'] != os.getpid()
    assert bench.files('part-*') == []


def test_a_plan_that_was_forgotten_is_built_anew(bench: Bench) -> None:
    bench.plan()
    remove_plan(bench.compiled, bench.settings, ORIN)
    assert not cached(bench.compiled, bench.settings, ORIN)
    bench.plan()
    assert len(bench.builds) == 2


@pytest.mark.parametrize('suffix', ['plan', 'json'])
def test_a_plan_with_a_flipped_byte_is_built_anew_and_the_reason_reported(
    bench: Bench, suffix: str
) -> None:
    plan = bench.plan()
    (file,) = bench.files(f'*.{suffix}')
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data)
    bench.reports.clear()
    assert not cached(bench.compiled, bench.settings, ORIN)
    assert bench.plan() != b''
    assert 'altered' in bench.reports[0][0]
    assert len(bench.builds) == 2
    assert plan.split(b'\n', 2)[2] == bench.plan().split(b'\n', 2)[2]
    assert len(bench.builds) == 2


def test_two_processes_at_once_build_once(bench: Bench, tmp_path: Path) -> None:
    gate = tmp_path / 'gate'
    bench.environ(FAKE_TENSORRT_GATE=str(gate))
    first = bench.process()
    eventually(lambda: bench.builds)
    second = bench.process()
    assert second.stdout is not None
    waits = second.stdout.readline()
    assert waits.startswith(f'waiting for process {first.pid}, which builds tiny')
    gate.touch()
    ends = [process.communicate(timeout=PATIENCE_S)[0].splitlines()[-1]
            for process in (first, second)]
    assert ends[0] == ends[1]
    assert ends[0].startswith('plan of ')
    assert len(bench.builds) == 1


def test_a_process_killed_while_it_builds_leaves_no_half_plan_and_no_child(
    bench: Bench, tmp_path: Path
) -> None:
    gate = tmp_path / 'gate'
    bench.environ(FAKE_TENSORRT_GATE=str(gate))
    process = bench.process()
    eventually(lambda: bench.builds)
    child = bench.builds[0]['pid']
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    eventually(lambda: not running(child))
    assert bench.files('*.plan') + bench.files('*.json') == []
    assert len(bench.files('part-*')) == 1
    gate.touch()
    bench.plan()
    assert bench.files('part-*') == []
    assert len(bench.builds) == 2


def running(pid: int) -> bool:
    try:
        state = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != 'Z'


def test_a_cancelled_build_ends_its_child(bench: Bench, tmp_path: Path) -> None:
    bench.environ(FAKE_TENSORRT_GATE=str(tmp_path / 'gate'))
    with pytest.raises(EngineError, match='cancelled'):
        plan_for(
            bench.compiled, bench.settings, ORIN, cancelled=lambda: bool(bench.builds)
        )
    assert not running(bench.builds[0]['pid'])
    assert bench.files('part-*') + bench.files('*.plan') == []


def test_a_crash_of_the_builder_is_an_error_that_says_so(bench: Bench) -> None:
    bench.environ(FAKE_TENSORRT_DO='segfault')
    with pytest.raises(EngineError, match='ended by SIGSEGV'):
        bench.plan()
    assert bench.files('*.plan') == []


def test_a_builder_that_was_killed_names_the_likely_cause(bench: Bench, tmp_path: Path) -> None:
    bench.environ(FAKE_TENSORRT_GATE=str(tmp_path / 'gate'))

    def kill(phase: str, share: float) -> None:
        if bench.builds:
            os.kill(bench.builds[0]['pid'], signal.SIGKILL)

    with pytest.raises(EngineError, match=r'ended by SIGKILL.*ran out of memory'):
        plan_for(bench.compiled, bench.settings, ORIN, kill)


def test_a_gpu_without_room_is_distinguished_from_other_failures(bench: Bench) -> None:
    bench.environ(FAKE_TENSORRT_DO='out of memory')
    with pytest.raises(GpuMemoryError, match='Requested amount of GPU memory'):
        bench.plan()


def test_errors_of_the_parser_come_back_in_its_own_words(bench: Bench) -> None:
    model = onnx.load(bench.path)
    (end,) = (node for node in model.graph.node if 'labels_network_size' in node.output)
    end.output[:] = ['one']
    model.graph.node.extend([
        helper.make_node('Unreadable', ['one'], ['two'], 'first'),
        helper.make_node('Unreadable', ['two'], ['labels_network_size'], 'second'),
    ])
    with pytest.raises(EngineError) as caught:
        bench.plan(bench.written(model))
    for name in ('first', 'second'):
        assert f"Unreadable '{name}': no importer for Unreadable" in str(caught.value)


def test_a_full_disk_is_one_clear_error(bench: Bench) -> None:
    bench.environ(FAKE_TENSORRT_DO='fill')
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, hard))
    try:
        with pytest.raises(EngineError, match=f'{bench.cache} cannot be used .*another cache_dir'):
            bench.plan()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert bench.files('part-*') + bench.files('*.plan') == []


def test_timings_of_one_build_shorten_the_next(bench: Bench) -> None:
    bench.plan()
    bench.plan(optimization_level=5)
    assert [build['timing'] for build in bench.builds] == ['', 'timed']
    (file,) = bench.files('*.timing')
    file.write_bytes(b'what somebody wrote')
    bench.reports.clear()
    bench.plan(optimization_level=4)
    assert 'timing cache was altered' in bench.reports[0][0]
    assert bench.builds[-1]['timing'] == ''


def test_the_builder_gets_what_the_settings_ask_for(bench: Bench) -> None:
    bench.plan(
        max_batch=3, workspace_mib=64, optimization_level=2, hardware_compatibility='ampere_plus'
    )
    (build,) = bench.builds
    height, width = bench.compiled.signature.size_hw
    assert build['profiles'] == [[[count, height, width, 3] for count in (1, 3, 3)]]
    assert build['limits'] == {'WORKSPACE': 64 << 20}
    assert (build['level'], build['compatible'], build['dla_core']) == (2, 1, -1)


@pytest.mark.parametrize(('visible', 'seen'), [(None, '1'), ('4,7', '7')])
def test_the_builder_sees_the_gpu_that_is_meant_and_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, visible: str | None, seen: str
) -> None:
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    if visible:
        bench.environ(CUDA_VISIBLE_DEVICES=visible)
    plan_for(bench.compiled, bench.settings, replace(ORIN, index=1))
    assert bench.builds[0]['gpus'] == seen


def test_a_graph_of_a_fixed_batch_has_no_profile(bench: Bench) -> None:
    model = onnx.load(bench.path)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    bench.plan(bench.written(model, max_batch=1), max_batch=4)
    assert bench.builds[0]['profiles'] == []


def test_a_level_that_this_tensorrt_does_not_know_is_refused(bench: Bench) -> None:
    with pytest.raises(EngineError, match=r'SAME_COMPUTE_CAPABILITY.*AMPERE_PLUS'):
        bench.plan(hardware_compatibility='same_compute_capability')


def with_precision(bench: Bench, precision: Any) -> CompiledFile:
    return bench.written(onnx.load(bench.path), precision=precision)


def test_a_dla_gets_one_image_a_call_and_the_gpu_what_is_left(bench: Bench) -> None:
    bench.environ(FAKE_TENSORRT_DLA='2')
    half = with_precision(bench, 'fp16')
    bench.plan(half, dla_core=1, max_batch=4)
    (build,) = bench.builds
    assert (build['dla_core'], build['profiles'], build['flags']) == (1, [], ['GPU_FALLBACK'])
    (plan,) = bench.files('*.plan')
    graph = onnx.load_from_string(plan.read_bytes().split(b'\n', 2)[2]).graph
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1
    (sidecar,) = bench.files('*.json')
    notes = json.loads(sidecar.read_text())['notes']
    assert notes[0].startswith('DLA core 1 runs 1 of ')
    with pytest.raises(EngineError, match='finds 2 DLA cores'):
        bench.plan(half, dla_core=2)


@pytest.mark.parametrize('precision', ['fp32', 'int8'])
def test_a_dla_takes_half_precision_alone(bench: Bench, precision: str) -> None:
    with pytest.raises(SettingError, match='compile it with --precision fp16'):
        bench.plan(with_precision(bench, precision), dla_core=0)


def test_tensorrt_8_gets_one_image_a_call_and_fp32_alone(bench: Bench) -> None:
    bench.environ(FAKE_TENSORRT_VERSION='8.6.1')
    bench.plan(max_batch=4)
    (build,) = bench.builds
    assert [sizes[0] for sizes in build['profiles'][0]] == [1, 1, 1]
    (sidecar,) = bench.files('*.json')
    assert 'one image per call' in json.loads(sidecar.read_text())['notes'][0]
    for precision in ('fp16', 'int8'):
        with pytest.raises(SettingError, match=f'{precision} with TensorRT 8.6.1.*one in fp32'):
            bench.plan(with_precision(bench, precision))


def test_a_tensorrt_that_is_too_old_is_refused(bench: Bench) -> None:
    bench.environ(FAKE_TENSORRT_VERSION='8.5.3')
    with pytest.raises(EngineError, match=r'TensorRT 8.5.3.*expected 8.6, or 10.0 or later'):
        bench.plan()


@pytest.mark.parametrize(('settings', 'names'), [
    ({}, ['labels_network_size', 'confidence_network_size']),
    ({'upsample': 'edges'}, ['logits', 'labels', 'confidence']),
    ({'upsample': 'nearest'}, ['labels', 'confidence']),
    ({'source_size': '96x72'}, ['labels_96x72', 'confidence_96x72']),
])
def test_a_plan_has_the_outputs_that_were_chosen_and_no_others(
    bench: Bench, settings: dict[str, Any], names: list[str]
) -> None:
    graph = onnx.load_from_string(bench.plan(**settings).split(b'\n', 2)[2]).graph
    assert sorted(item.name for item in graph.output) == sorted(names)


def test_a_network_of_boxes_keeps_all_its_outputs(bench: Bench, tmp_path: Path) -> None:
    compiled = read_compiled(echo_model(tmp_path))
    graph = onnx.load_from_string(bench.plan(compiled).split(b'\n', 2)[2]).graph
    assert {item.name for item in graph.output} == set(compiled.signature.tensors)


def test_a_file_without_what_its_metadata_promise_is_refused(bench: Bench) -> None:
    tensors = (*bench.compiled.signature.tensors, 'instances')
    with pytest.raises(ModelError, match=r"without the outputs \['instances'\]"):
        bench.plan(bench.written(onnx.load(bench.path), tensors=tensors))


def test_the_cache_is_the_users_own_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', '/home/somebody')
    monkeypatch.delenv('XDG_CACHE_HOME', raising=False)
    assert cache_folder(Settings()) == Path('/home/somebody/.cache/seg_ros')
    monkeypatch.setenv('XDG_CACHE_HOME', '/var/cache/somebody')
    assert cache_folder(Settings()) == Path('/var/cache/somebody/seg_ros')
    monkeypatch.setenv('XDG_CACHE_HOME', 'relative')
    assert cache_folder(Settings()) == Path('/home/somebody/.cache/seg_ros')
    assert cache_folder(Settings(cache_dir='~/plans')) == Path('/home/somebody/plans')
