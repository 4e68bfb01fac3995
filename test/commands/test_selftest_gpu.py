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

"""`seg_ros selftest --gpu` on a machine with a GPU, as far as stand-ins go."""

from fakes.gpu import driver_folder, driver_library, fake_gpu  # noqa: F401
import pytest
from seg_ros.commands.checks import engine_checks
from seg_ros.commands.checks.gpu_checks import copy_check, recording_check
from seg_ros.engines.cuda.gpu import find_gpu
from selftest_report import report_of


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(engine_checks, 'LATENCY_FRAMES', 3)
    monkeypatch.setattr(engine_checks, 'WARM_UP', 1)


def test_the_gpu_is_tested_whole(fake_gpu, capsys, tmp_path):  # noqa: F811
    code, report = report_of(
        capsys, '--gpu', '--cache-dir', tmp_path, '--precisions', 'fp32', 'fp16'
    )
    assert code == 0
    assert {item['result'] for item in report.values()} == {'passed'}
    figures = report['the model in fp16']['figures']
    assert figures['plain_equals_recorded']
    assert set(figures['latency_ms']) == {'whole', 'upload', 'compute', 'download'}
    assert figures['gpu_mib']['before'] == figures['gpu_mib']['after'] > 0
    assert report['driver and GPU']['figures']['memory_mib'] > 0


def test_without_tensorrt_copies_and_recordings_are_tested_all_the_same(
    fake_gpu, capsys, tmp_path, monkeypatch  # noqa: F811
):
    monkeypatch.setenv('FAKE_TENSORRT_VERSION', '8.5.3')
    code, report = report_of(capsys, '--gpu', '--cache-dir', tmp_path)
    assert code == 1
    assert report['copies to the GPU and back']['result'] == 'passed'
    assert report['work recorded as a CUDA graph']['result'] == 'passed'
    assert report['TensorRT']['result'] == 'failed'
    assert '8.5.3' in report['TensorRT']['seen']
    assert report['TensorRT on the GPU']['result'] == 'skipped'


@pytest.mark.parametrize(('check', 'function'), [
    (copy_check, b'cuMemcpyDtoHAsync_v2'), (recording_check, b'cuGraphLaunch'),
    (recording_check, b'cuStreamEndCapture'),
])
def test_what_the_driver_refuses_fails_the_check_in_its_words(
    fake_gpu, check, function  # noqa: F811
):
    gpu = find_gpu()
    assert check(gpu).result == 'passed'
    fake_gpu.fake_fail(function, 1, 0, 1)
    failed = check(gpu)
    assert failed.result == 'failed'
    assert function.decode().partition('_')[0] in failed.seen
