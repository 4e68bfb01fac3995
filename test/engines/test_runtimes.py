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

"""With every runtime, a compiled model returns what plain numpy computes."""

from contextlib import closing
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from seg_ros.core.errors import ContractError, EngineError, ModelError, SettingError
from seg_ros.core.frame import Frame
from seg_ros.core.settings import Settings
from seg_ros.core.tensors import TENSORS
from seg_ros.engines import CPU_RUNTIMES
from seg_ros.pipeline.process import segment
from seg_ros.pipeline.serving_model import ServingModel
from tiny_model import (
    CARD,
    CELL,
    CLASSES,
    ECHO_CONTRACT,
    echo_model,
    echo_tensors,
    random_batch,
    semantic_model,
    semantic_scores,
    SIZE_HW,
)

EXACT = Settings(inference_precision='f32', threads=1)


@pytest.fixture(params=CPU_RUNTIMES)
def open_runtime(request):
    pytest.importorskip(request.param, reason=f'{request.param} is not installed')
    return getattr(import_module(f'seg_ros.engines.{request.param}'), f'open_{request.param}')


@pytest.fixture(scope='module')
def semantic(tmp_path_factory):
    return semantic_model(tmp_path_factory.mktemp('semantic'))


@pytest.fixture(scope='module')
def echo(tmp_path_factory):
    return echo_model(tmp_path_factory.mktemp('echo'))


def best_and_margin(scores):
    """Return the best class, the margin of its score, and its probability."""
    first, second = np.sort(scores, axis=1)[:, :-3:-1].swapaxes(0, 1)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores.argmax(axis=1), first - second, 1 / odds.sum(axis=1)


def enlarged(scores):
    """Interpolate scores to the network's size with half-pixel centres."""
    weights = []
    for axis in (0, 1):
        size = scores.shape[2 + axis]
        place = np.clip((np.arange(SIZE_HW[axis]) + 0.5) / CELL - 0.5, 0, size - 1)
        weights.append(np.maximum(0, 1 - abs(place[:, None] - np.arange(size))))
    return weights[0] @ scores @ weights[1].T


@pytest.mark.parametrize('count', [1, 3])
@pytest.mark.parametrize(('upsample', 'names'), [
    ('auto', {'labels', 'confidence', 'logits'}),
    ('edges', {'labels', 'confidence', 'logits'}),
    ('nearest', {'labels', 'confidence'}),
    ('graph', {'labels', 'confidence'}),
])
def test_a_semantic_model_answers_as_numpy_does(open_runtime, semantic, upsample, names, count):
    batch = random_batch(count)
    scores = semantic_scores(batch)
    with closing(open_runtime(semantic, replace(EXACT, upsample=upsample))) as engine:
        assert engine.card.classes == CARD.classes
        outputs = engine.submit(batch).result()
        assert engine.facts.upsample == ('edges' if upsample == 'auto' else upsample)
    assert outputs.present().keys() == names
    if outputs.logits is not None:
        np.testing.assert_allclose(outputs.logits, scores, atol=1e-4)
    labels, margin, probability = best_and_margin(
        enlarged(scores) if upsample == 'graph' else scores
    )
    assert outputs.labels.dtype == np.uint8
    assert len(np.unique(labels)) == CLASSES
    assert (outputs.labels == labels)[margin > 1e-4].all()
    assert abs(outputs.confidence - 255 * probability).max() < 0.51


@pytest.mark.parametrize('count', [1, 2])
def test_every_kind_of_tensor_comes_through(open_runtime, echo, count):
    batch = random_batch(count)
    with closing(open_runtime(echo, EXACT)) as engine:
        outputs = engine.submit(batch).result()
    expected = echo_tensors(batch)
    assert outputs.present().keys() == expected.keys()
    for name, array in expected.items():
        given = getattr(outputs, name)
        assert str(given.dtype) in TENSORS[name][1]
        np.testing.assert_allclose(given, array, rtol=1e-5)


def test_what_was_handed_out_is_not_overwritten(open_runtime, echo, semantic):
    for path in (echo, semantic):
        with closing(open_runtime(path, EXACT)) as engine:
            first = engine.submit(random_batch(1, seed=1)).result()
            before = {name: array.copy() for name, array in first.present().items()}
            for seed in range(2, 6):
                engine.submit(random_batch(1, seed)).result()
        for name, array in first.present().items():
            np.testing.assert_array_equal(array, before[name])


def test_the_batch_may_be_reused_once_its_result_is_there(open_runtime, echo):
    batch = random_batch(1)
    with closing(open_runtime(echo, EXACT)) as engine:
        outputs = engine.submit(batch).result()
        kept = outputs.masks.copy()
        batch[:] = 0
        np.testing.assert_array_equal(outputs.masks, kept)


def test_a_batch_with_gaps_in_memory_is_read_right(open_runtime, echo):
    wide = random_batch(2).repeat(2, axis=2)
    with closing(open_runtime(echo, EXACT)) as engine:
        outputs = engine.submit(wide[:, :, ::2]).result()
    np.testing.assert_array_equal(outputs.masks, wide[:, :, ::2].transpose(0, 3, 1, 2))


@pytest.mark.parametrize('workers', [1, 2])
def test_frames_in_flight_do_not_mix(open_runtime, echo, workers):
    batches = [random_batch(1, seed) for seed in range(12)]
    with closing(open_runtime(echo, replace(EXACT, workers=workers))) as engine:
        futures = [engine.submit(batch) for batch in batches]
        results = [future.result() for future in futures]
    for batch, outputs in zip(batches, results, strict=True):
        np.testing.assert_array_equal(outputs.masks, batch.transpose(0, 3, 1, 2))


def test_a_closed_engine_refuses_and_may_be_closed_again(open_runtime, echo):
    engine = open_runtime(echo, EXACT)
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match='closed'):
        engine.submit(random_batch(1))


def test_an_image_of_another_size_is_refused(open_runtime, echo):
    with closing(open_runtime(echo, EXACT)) as engine, pytest.raises(ContractError, match='48'):
        engine.submit(np.zeros((1, 32, 32, 3), np.uint8))


@pytest.mark.parametrize('device', ['abacus', 'GPU.7'])
def test_an_unknown_device_is_refused_by_its_name(open_runtime, echo, device):
    with pytest.raises(EngineError, match=device):
        open_runtime(echo, Settings(device=device))


def test_a_truncated_model_is_refused(open_runtime, echo, tmp_path):
    short = tmp_path / 'short.onnx'
    short.write_bytes(echo.read_bytes()[:-40])
    with pytest.raises(ModelError, match='short'):
        open_runtime(short, EXACT)


def test_a_missing_model_is_refused(open_runtime, tmp_path):
    with pytest.raises(ModelError, match='absent'):
        open_runtime(tmp_path / 'absent.onnx', EXACT)


def test_a_network_that_is_not_compiled_is_refused_with_what_to_do(open_runtime, semantic):
    with pytest.raises(ModelError, match='seg_ros compile'):
        open_runtime(semantic.with_name('raw.onnx'), EXACT)


def test_a_model_that_the_runtime_cannot_run_is_refused_by_its_name(open_runtime, tmp_path):
    path = echo_model(tmp_path, operator='Divination', domain='nowhere')
    with pytest.raises(EngineError, match=r'echo\.onnx'):
        open_runtime(path, EXACT)


def test_an_engine_that_fails_its_first_call_is_not_opened(open_runtime, tmp_path):
    path = echo_model(tmp_path, signature=replace(ECHO_CONTRACT, size_hw=(5, 5)))
    with pytest.raises(EngineError, match='failed: '):
        open_runtime(path, EXACT)


def test_a_file_without_what_its_metadata_promise_is_refused(open_runtime, tmp_path):
    tensors = (*ECHO_CONTRACT.tensors, 'instances')
    path = echo_model(tmp_path, signature=replace(ECHO_CONTRACT, tensors=tensors))
    with pytest.raises((EngineError, ModelError), match='instances'):
        open_runtime(path, EXACT)


def test_labels_of_a_source_size_are_given_at_that_size(open_runtime, semantic):
    settings = replace(EXACT, upsample='graph', source_size='96x72')
    with closing(open_runtime(semantic, settings)) as engine:
        assert engine.signature.source_hw == (72, 96)
        assert engine.submit(random_batch(1)).result().labels.shape == (1, 72, 96)
    with pytest.raises(SettingError, match='expected 96x72; compile it with --source-size 50x60'):
        open_runtime(semantic, replace(settings, source_size='50x60'))


@pytest.mark.parametrize('upsample', ['edges', 'graph'])
def test_masks_at_source_size_follow_the_network(open_runtime, semantic, upsample):
    pixels = random_batch(1, seed=4)[0]
    source = pixels.repeat(3, axis=0).repeat(3, axis=1)
    settings = replace(EXACT, upsample=upsample)
    segmenter = ServingModel(open_runtime(semantic, settings), settings)
    result = segment(Frame(source), segmenter)
    segmenter.close()
    result.verify()
    scores = semantic_scores(pixels[None])
    best = 3 * enlarged(scores)[0].argmax(axis=0)
    middle = result.classes[1::3, 1::3]
    assert (middle == best).mean() > 0.999
