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

"""`seg_ros selftest` runs what the machine allows and reports what is missing."""

from dataclasses import replace

import numpy as np
import onnx
from onnx import numpy_helper
import pytest
from seg_ros.commands import progress, selftest
from seg_ros.commands.checks import engine_checks
from seg_ros.commands.checks.check import Check, checked, lines_of
from seg_ros.commands.checks.engine_checks import equal_masks, latency_ms, throughput_hz
from seg_ros.commands.checks.trial_model import CLASSES
from seg_ros.commands.model_files import parity
from seg_ros.core.errors import EngineError
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.tensors import Outputs
from selftest_report import report_of
from tqdm import tqdm


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(engine_checks, 'LATENCY_FRAMES', 5)


def test_every_precision_is_compared_timed_and_watched_on_the_cpu(capsys):
    pytest.importorskip('openvino', reason='OpenVINO is not installed')
    code, report = report_of(capsys)
    assert code == 0
    for precision in ('fp32', 'fp16', 'int8'):
        item = report[f'the model in {precision}']
        assert item['result'] == 'passed'
        figures = item['figures']
        assert figures['agreement']['images'] == 8
        assert figures['frames'] == 12
        assert figures['latency_ms']['whole']['median'] > 0
        assert figures['resident_mib']['before'] > 0


def test_masks_that_differ_fail_the_test(capsys, monkeypatch):
    pytest.importorskip('openvino', reason='OpenVINO is not installed')
    monkeypatch.setitem(parity.MIN_AGREEMENT['fp32'], 'pixels', 1.1)
    code, report = report_of(capsys, '--precisions', 'fp32')
    assert code == 1
    assert 'masks differ from ONNX Runtime' in report['the model in fp32']['seen']


def test_what_int8_itself_costs_is_shown_and_is_no_fault_of_the_engine(capsys, monkeypatch):
    pytest.importorskip('openvino', reason='OpenVINO is not installed')

    def coarse(compiled, precision, batches):
        """Quantise so coarsely that another class is the best nearly everywhere."""
        model = onnx.ModelProto.FromString(compiled.model.SerializeToString())
        for initializer in model.graph.initializer:
            if len(initializer.dims) == 4 and initializer.dims[0] == CLASSES:
                array = numpy_helper.to_array(initializer)
                initializer.CopyFrom(numpy_helper.from_array(-array, initializer.name))
        return replace(
            compiled, model=model, signature=replace(compiled.signature, precision=precision)
        )

    monkeypatch.setattr(engine_checks, 'convert_precision', coarse)
    code, report = report_of(capsys, '--precisions', 'int8')
    figures = report['the model in int8']['figures']
    assert code == 0
    assert figures['agreement']['pixels'] > 0.99
    assert figures['agreement_with_fp32']['pixels'] < 0.5
    code, report = report_of(capsys, '--precisions', 'fp16')
    assert code == 1
    assert 'masks differ from ONNX Runtime' in report['the model in fp16']['seen']


def test_a_machine_without_a_gpu_shows_what_is_missing(capsys, monkeypatch):
    def nothing(device):
        raise EngineError('no NVIDIA driver', 'libcuda.so.1', 'install the driver')

    monkeypatch.setattr('seg_ros.commands.checks.gpu_checks.find_gpu', nothing)
    code, report = report_of(capsys, '--gpu')
    assert code == 1
    assert report['driver and GPU']['result'] == 'failed'
    assert report['driver and GPU']['do'] == 'expected libcuda.so.1; install the driver'
    assert report['TensorRT on the GPU']['result'] == 'skipped'
    assert 'pycuda' in report


def test_packages_that_a_checkout_lacks_are_named(capsys, monkeypatch):
    real = __import__

    def refuse(name, *rest):
        if name in ('spox', 'tqdm'):
            raise ImportError(f'no {name}')
        return real(name, *rest)

    monkeypatch.setattr('builtins.__import__', refuse)
    check = selftest._packages_check()
    monkeypatch.undo()
    assert check.result == 'failed'
    assert check.do == 'pip install spox tqdm'


class Countdown:
    """Answers each batch with its number, and counts how many were under way at once."""

    def __init__(self):
        self.under_way, self.most, self.count = 0, 0, 0

    def submit(self, batch):
        self.count += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        return self

    def result(self):
        self.under_way -= 1
        return Outputs(stage_ms={'compute': 2.0})


def test_latency_is_of_one_frame_at_a_time_with_the_stages_of_the_runtime():
    engine = Countdown()
    found = latency_ms(engine, [np.zeros(1)])
    assert engine.most == 1
    assert engine.count == engine_checks.WARM_UP + 5
    assert found['compute'] == {'median': 2.0, 'p99': 2.0}
    assert found['whole']['median'] <= found['whole']['p99']


def test_throughput_keeps_two_frames_in_flight():
    engine = Countdown()
    seen = []
    assert throughput_hz(engine, [np.zeros(1)], 9, lambda: seen.append(engine.under_way)) > 0
    assert (engine.most, engine.count, engine.under_way) == (2, 9, 0)
    assert len(seen) == 9


def test_the_long_run_is_drawn_as_a_bar_for_each_precision(capsys, monkeypatch):
    pytest.importorskip('openvino', reason='OpenVINO is not installed')
    drawn = []

    class Bar(tqdm):
        def close(self):
            if not self.disable:
                drawn.append((self.total, self.n))
            super().close()

    monkeypatch.setattr(progress, 'tqdm', lambda **given: Bar(**{**given, 'disable': False}))
    report_of(capsys, '--precisions', 'fp32', 'fp16')
    assert drawn.count((12, 12)) == 2


def test_one_different_pixel_makes_masks_unequal():
    def masks(value):
        return [Segmentation(
            (1, 2), 255, np.array([[1, value]], np.uint8), None, np.zeros((1, 2), np.uint16)
        )]

    assert equal_masks(masks(1), masks(1))
    assert not equal_masks(masks(1), masks(2))


def test_an_error_inside_a_check_fails_it_and_the_first_fault_counts():
    with checked('a thing') as check:
        raise EngineError('seen', 'this', 'do that')
    assert (check.result, check.seen, check.do) == ('failed', 'seen', 'expected this; do that')
    check.fail('later')
    assert check.seen == 'seen'
    with pytest.raises(ZeroDivisionError), checked('another'):
        raise ZeroDivisionError


def test_a_report_names_nested_figures():
    check = Check('a thing', seen='fine', figures={'ms': {'median': 1.23456}, 'frames': 3})
    lines = list(lines_of([check]))
    assert lines[0].split() == ['passed', 'a', 'thing', 'fine']
    assert [line.strip() for line in lines[1:]] == ['ms.median: 1.235', 'frames: 3']
