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

"""TensorRT's engine in operation, on fakes of the GPU's driver and of TensorRT."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
import subprocess
import sys
import time

from fakes.gpu import DOWNLOAD, GRAPH, KERNEL, UPLOAD
import numpy as np
import onnxruntime as ort
import pytest
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.errors import ContractError, EngineError
from seg_ros.core.output_choice import choose_outputs
from seg_ros.core.settings import Settings
from seg_ros.engines.cuda import buffers, streams
from tiny_model import CARD, ECHO_CONTRACT, echo_model, random_batch, semantic_model, SIZE_HW

ROOT = Path(__file__).parents[2]
CAPTURE = ['cuStreamBeginCapture_v2', 'cuStreamEndCapture', 'cuGraphInstantiateWithFlags']
UNSUPPORTED = 801


@pytest.fixture(scope='module')
def plans(tmp_path_factory):
    return str(tmp_path_factory.mktemp('plans'))


@pytest.fixture
def open_model(fake_gpu, plans):
    from seg_ros.engines.tensorrt.engine import open_tensorrt

    return lambda path, **settings: closing(
        open_tensorrt(path, Settings(**{'cache_dir': plans, **settings}))
    )


def make_reference(path, **settings):
    """Return a function that computes the outputs requested of TensorRT with ONNX Runtime."""
    choice = choose_outputs(read_compiled(path).signature, Settings(**settings), 'graph')
    session = ort.InferenceSession(path, providers=['CPUExecutionProvider'])
    names, tensors = list(choice.names), choice.names.values()
    return lambda batch: dict(zip(tensors, session.run(names, {'image': batch}), strict=True))


def assert_outputs(outputs, expected):
    present = outputs.present()
    assert present.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(present[name], array)


def right(outputs, expected):
    present = outputs.present()
    return all(np.array_equal(present[name], array) for name, array in expected.items())


@pytest.mark.parametrize('integrated', [0, 1])
@pytest.mark.parametrize('write', [semantic_model, echo_model])
def test_frames_of_every_batch_size_are_what_onnx_runtime_says(
    fake_gpu, open_model, tmp_path, write, integrated
):
    fake_gpu.fake_integrated(integrated)
    path = write(tmp_path)
    reference = make_reference(path)
    with open_model(path, max_batch=3) as engine:
        replays = fake_gpu.fake_done(GRAPH)
        batches = [random_batch(1 + seed % 3, seed) for seed in range(9)]
        futures = [engine.submit(batch) for batch in batches]
        for batch, future in zip(batches, futures, strict=True):
            assert_outputs(future.result(), reference(batch))
        assert fake_gpu.fake_done(GRAPH) - replays == len(batches)
        assert engine.facts.notes == ()
    copies = fake_gpu.fake_done(UPLOAD) + fake_gpu.fake_done(DOWNLOAD)
    assert (copies == 0) == bool(integrated)


def test_tensorrt_8_gives_the_same_frames_one_a_call(
    fake_gpu, open_model, tmp_path, monkeypatch
):
    monkeypatch.setenv('FAKE_TENSORRT_VERSION', '8.6.1')
    path = semantic_model(tmp_path)
    reference = make_reference(path)
    with open_model(path, max_batch=3) as engine:
        assert engine.signature.max_batch == 1
        assert engine.facts.version == 'tensorrt 8.6.1'
        batches = [random_batch(1, seed) for seed in range(4)]
        futures = [engine.submit(batch) for batch in batches]
        for batch, future in zip(batches, futures, strict=True):
            assert_outputs(future.result(), reference(batch))


@pytest.mark.parametrize('function', CAPTURE)
def test_what_cannot_be_recorded_is_enqueued_and_noted(fake_gpu, open_model, tmp_path, function):
    path = semantic_model(tmp_path)
    reference = make_reference(path)
    fake_gpu.fake_fail(function.encode(), UNSUPPORTED, 0, 1)
    with open_model(path) as engine:
        # The recording of the other slot succeeded.
        assert engine.facts.notes[0].startswith(f'no CUDA graph: {function}')
        for seed in range(4):
            batch = random_batch(1, seed)
            assert_outputs(engine.submit(batch).result(), reference(batch))
        assert fake_gpu.fake_done(GRAPH) == 2


@pytest.mark.parametrize(('part', 'name'), [
    (streams.Event, 'wait'), (streams.Stream, 'wait_for'), (buffers.CopiedBuffer, 'upload'),
    (buffers.CopiedBuffer, 'download'),
])
@pytest.mark.parametrize('recorded', [True, False])
def test_frames_are_wrong_where_a_wait_or_a_copy_is_left_out(
    fake_gpu, open_model, tmp_path, monkeypatch, part, name, recorded
):
    path = echo_model(tmp_path)
    reference = make_reference(path)
    if not recorded:
        monkeypatch.setattr('seg_ros.engines.tensorrt.batch_context.CudaGraph', refuse_recording)
    with open_model(path) as engine:
        assert bool(engine.facts.notes) != recorded
        batches = [random_batch(1, seed) for seed in range(4)]
        expected = [reference(batch) for batch in batches]
        for batch, tensors in zip(batches, expected, strict=True):
            assert_outputs(engine.submit(batch).result(), tensors)
        fake_gpu.fake_delay(UPLOAD, 30_000)
        fake_gpu.fake_delay(DOWNLOAD, 5_000)
        monkeypatch.setattr(part, name, lambda *_: None)
        # Work that is left out has no times either.
        monkeypatch.setattr(streams.Event, 'ms_until', lambda *_: 0.0)
        # The slots still hold the last two frames, which differ from the two sent now.
        for batch, tensors in zip(batches[:2], expected[:2], strict=True):
            outputs = engine.submit(batch).result()
            time.sleep(0.1)
            assert not right(outputs, tensors)


def refuse_recording(stream, work):
    raise EngineError('no recording')


def test_a_frame_is_uploaded_while_another_is_computed(fake_gpu, open_model, tmp_path):
    path = semantic_model(tmp_path)
    reference = make_reference(path)
    batches = [random_batch(1, seed) for seed in range(3)]
    with open_model(path) as engine:
        before = [fake_gpu.fake_done(kind) for kind in (UPLOAD, KERNEL)]
        fake_gpu.fake_hold(1)
        futures = [engine.submit(batch) for batch in batches]
        deadline = time.monotonic() + 20
        while fake_gpu.fake_done(UPLOAD) < before[0] + 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        after = [fake_gpu.fake_done(kind) for kind in (UPLOAD, KERNEL)]
        fake_gpu.fake_hold(0)
        for batch, future in zip(batches, futures, strict=True):
            assert_outputs(future.result(), reference(batch))
    # Two are uploaded; the third waits for a slot.
    assert (after[0] - before[0], after[1] - before[1]) == (2, 0)


def test_every_frame_reports_how_long_its_stages_took_on_the_gpu(fake_gpu, open_model, tmp_path):
    with open_model(echo_model(tmp_path)) as engine:
        fake_gpu.fake_delay(UPLOAD, 20_000)
        stage_ms = engine.submit(random_batch(1)).result().stage_ms
    assert list(stage_ms) == ['upload', 'compute', 'download']
    assert stage_ms['upload'] >= 20
    assert all(milliseconds > 0 for milliseconds in stage_ms.values())


def test_arrays_belong_to_the_receiver(open_model, tmp_path):
    path = echo_model(tmp_path)
    reference = make_reference(path)
    batches = [random_batch(1, seed) for seed in range(6)]
    with open_model(path) as engine:
        outputs = [engine.submit(batch).result() for batch in batches]
    for batch, output in zip(batches, outputs, strict=True):
        assert_outputs(output, reference(batch))
        assert output.masks.flags.writeable


def test_the_facts_say_what_was_opened(open_model, tmp_path):
    with open_model(semantic_model(tmp_path)) as engine:
        facts = engine.facts
        assert engine.card.classes == CARD.classes
    assert (facts.engine, facts.device, facts.precision) == ('tensorrt', 'Fake GPU 0', 'fp32')
    assert (facts.version, facts.upsample, facts.notes) == ('tensorrt 10.3.0', 'graph', ())


@pytest.mark.parametrize(('upsample', 'tensors', 'size_hw'), [
    ('graph', {'labels', 'confidence'}, SIZE_HW),
    ('nearest', {'labels', 'confidence'}, (12, 16)),
    ('edges', {'labels', 'confidence', 'logits'}, (12, 16)),
])
def test_labels_reach_the_size_that_the_settings_ask_for(
    open_model, tmp_path, upsample, tensors, size_hw
):
    path = semantic_model(tmp_path)
    with open_model(path, upsample=upsample) as engine:
        batch = random_batch(1)
        outputs = engine.submit(batch).result()
        assert_outputs(outputs, make_reference(path, upsample=upsample)(batch))
        assert engine.facts.upsample == upsample
    assert outputs.present().keys() == tensors
    assert outputs.labels.shape[1:] == size_hw


def test_a_source_size_makes_labels_of_that_size_and_of_no_other(open_model, tmp_path):
    with open_model(semantic_model(tmp_path), source_size='96x72') as engine:
        assert engine.signature.source_hw == (72, 96)
        assert engine.submit(random_batch(1)).result().labels.shape == (1, 72, 96)


@pytest.mark.parametrize(('of_file', 'of_settings', 'limit'), [(0, 3, 3), (1, 3, 1), (2, 3, 2)])
def test_a_call_takes_no_more_images_than_the_plan(
    open_model, tmp_path, of_file, of_settings, limit
):
    path = echo_model(tmp_path, signature=replace(ECHO_CONTRACT, max_batch=of_file))
    with open_model(path, max_batch=of_settings) as engine:
        assert engine.signature.max_batch == limit
        assert len(engine.submit(random_batch(limit)).result().labels) == limit
        with pytest.raises(ContractError, match=f'up to {limit}'):
            engine.submit(random_batch(limit + 1))


def test_closing_waits_for_frames_in_flight_and_takes_no_more(open_model, tmp_path):
    path = echo_model(tmp_path)
    reference, batch = make_reference(path), random_batch(1)
    with open_model(path) as engine:
        futures = [engine.submit(batch) for _ in range(5)]
        engine.close()
        assert all(future.done() for future in futures)
        assert_outputs(futures[-1].result(), reference(batch))
        with pytest.raises(EngineError, match='closed'):
            engine.submit(batch)


def test_opening_and_closing_fifty_times_leaves_nothing_behind(fake_gpu, open_model, tmp_path):
    path, batch = echo_model(tmp_path), random_batch(2)
    for _ in range(50):
        with open_model(path, max_batch=2) as engine:
            engine.submit(batch).result()
        assert fake_gpu.fake_held() == 0


def test_a_process_that_forgets_to_close_its_engine_ends_well(fake_gpu, plans, tmp_path):
    script = (
        'from pathlib import Path; import numpy as np\n'
        'from seg_ros.core.settings import Settings\n'
        'from seg_ros.engines.tensorrt.engine import open_tensorrt\n'
        f'engine = open_tensorrt(Path({str(echo_model(tmp_path))!r}), '
        f'Settings(cache_dir={plans!r}))\n'
        'batch = np.zeros((1, *engine.signature.size_hw, 3), np.uint8)\n'
        'print(engine.submit(batch).result().labels.shape)\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', script], check=False, capture_output=True, text=True, timeout=60,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, '(1, 48, 64)\n', '')


def test_two_engines_share_a_process(open_model, tmp_path):
    paths = [semantic_model(tmp_path), echo_model(tmp_path)]
    references = [make_reference(path) for path in paths]
    with open_model(paths[0]) as first, open_model(paths[1]) as second:
        engines = [first, second]

        def check(number):
            batch = random_batch(1, number)
            outputs = engines[number % 2].submit(batch).result()
            assert_outputs(outputs, references[number % 2](batch))

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(check, range(20)))
        first.close()
        check(1)
