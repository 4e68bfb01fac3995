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

"""Facts and options of OpenVINO that other runtimes do not share."""

from contextlib import closing
import os

import numpy as np
import pytest
from seg_ros.core.settings import Settings
from tiny_model import echo_model, random_batch

pytest.importorskip('openvino', reason='OpenVINO is not installed')


@pytest.fixture
def opened(tmp_path):
    from seg_ros.engines.openvino import open_openvino

    path = echo_model(tmp_path)
    return lambda **settings: closing(open_openvino(path, Settings(**settings)))


@pytest.mark.parametrize('device', ['auto', 'Auto', 'CPU', 'cpu'])
def test_the_facts_say_what_was_opened(opened, device):
    settings = {'device': device, 'inference_precision': 'f32', 'threads': 1}
    with opened(**settings, upsample='nearest') as engine:
        facts = engine.facts
    assert (facts.engine, facts.precision, facts.threads) == ('openvino', 'f32', 1)
    assert facts.device.startswith('CPU (')
    assert facts.upsample == 'nearest'
    assert facts.version[:2] == '20'


def test_a_source_size_without_effect_is_noted(opened):
    with opened(source_size='9x9') as engine:
        assert 'source_size: 9x9 has no effect: upsample is edges' in engine.facts.notes[0]


def test_without_a_choice_the_facts_say_what_openvino_chose(opened):
    with opened() as engine:
        assert engine.facts.precision in ('f32', 'bf16', 'f16')
        assert engine.facts.threads >= 1


@pytest.mark.parametrize(('workers', 'threads', 'expected'), [(1, 2, 2), (2, 2, 2), (3, 1, 3)])
def test_workers_share_the_threads_and_have_one_at_least(opened, workers, threads, expected):
    with opened(workers=workers, threads=threads) as engine:
        assert engine.facts.threads == expected


def test_the_first_call_of_all_is_made_before_workers_can(opened, monkeypatch):
    from seg_ros.engines import openvino

    run, shapes = openvino._run, []

    def watched(*arguments):
        def call(feeds):
            shapes.append(feeds['image'].shape)
            return run(*arguments)(feeds)

        return call

    monkeypatch.setattr(openvino, '_run', watched)
    batch = random_batch(1)
    with opened(workers=2) as engine:
        assert shapes == [batch.shape]
        engine.submit(batch).result()
    assert shapes == 2 * [batch.shape]


def test_built_kernels_are_kept_in_the_cache_folder(opened, tmp_path):
    cache, batch = tmp_path / 'cache', random_batch(1)
    for _ in range(2):
        with opened(cache_dir=str(cache), inference_precision='f32') as engine:
            masks = engine.submit(batch).result().masks
        np.testing.assert_array_equal(masks, batch.transpose(0, 3, 1, 2))
        assert list((cache / 'openvino').iterdir())


def test_a_quantised_join_is_refused_with_who_gets_it_right(tmp_path):
    import onnx
    from onnx import helper, numpy_helper
    from seg_ros.core.errors import EngineError
    from seg_ros.engines.openvino import open_openvino

    path = echo_model(tmp_path)
    model = onnx.load(path)
    model.graph.initializer.extend([
        numpy_helper.from_array(np.array(0.1, np.float32), 'step'),
        numpy_helper.from_array(np.array(0, np.int8), 'zero'),
    ])
    (join,) = (node for node in model.graph.node if node.op_type == 'Concat')
    join.output[:] = ['joined']
    model.graph.node.extend([
        helper.make_node('QuantizeLinear', ['joined', 'step', 'zero'], ['few']),
        helper.make_node('DequantizeLinear', ['few', 'step', 'zero'], ['boxes']),
    ])
    onnx.save(model, path)
    with pytest.raises(EngineError, match=r'quantises the output of a Concat.*onnxruntime'):
        open_openvino(path, Settings())


@pytest.mark.parametrize('mode', [0o777, 0o1777, 0o770])
@pytest.mark.parametrize('place', ['cache', 'cache/openvino'])
def test_a_cache_that_others_can_write_to_is_reported_and_not_used(opened, tmp_path, mode, place):
    (tmp_path / 'cache' / 'openvino').mkdir(parents=True)
    (tmp_path / place).chmod(mode)
    with opened(cache_dir=str(tmp_path / 'cache'), inference_precision='f32') as engine:
        (note,) = engine.facts.notes
        assert f'not cached: {tmp_path / place} is writable by others' in note
    assert not list((tmp_path / 'cache' / 'openvino').iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason='only root may give files away')
def test_a_compiled_network_of_another_user_is_not_loaded(opened, tmp_path):
    cache = tmp_path / 'cache'
    with opened(cache_dir=str(cache), inference_precision='f32'):
        pass
    blob = next((cache / 'openvino').rglob('*.blob'))
    os.chown(blob, 1000, 1000)
    with opened(cache_dir=str(cache), inference_precision='f32') as engine:
        (note,) = engine.facts.notes
        assert f'{blob} belongs to user 1000, not to 0; remove it' in note
    blob.unlink()
    blob.symlink_to(tmp_path / 'elsewhere')
    with opened(cache_dir=str(cache), inference_precision='f32') as engine:
        assert 'is not a regular file' in engine.facts.notes[0]


@pytest.mark.parametrize('harmed', ['blob', 'seal'])
def test_a_damaged_compiled_network_is_compiled_anew_and_kept(opened, tmp_path, harmed):
    cache, batch = tmp_path / 'cache', random_batch(1)
    with opened(cache_dir=str(cache), inference_precision='f32'):
        pass
    blob = next((cache / 'openvino').rglob('*.blob'))
    file = blob if harmed == 'blob' else cache / 'openvino' / 'digests.json'
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 255
    file.write_bytes(data)
    first = blob.stat().st_mtime_ns
    with opened(cache_dir=str(cache), inference_precision='f32') as engine:
        masks = engine.submit(batch).result().masks
    np.testing.assert_array_equal(masks, batch.transpose(0, 3, 1, 2))
    second = blob.stat().st_mtime_ns
    assert second > first
    with opened(cache_dir=str(cache), inference_precision='f32'):
        assert blob.stat().st_mtime_ns == second


def test_what_we_wrote_ourselves_is_trusted_whatever_the_umask(opened, tmp_path):
    before = os.umask(0o002)
    try:
        for _ in range(2):
            with opened(cache_dir=str(tmp_path / 'cache'), inference_precision='f32') as engine:
                assert engine.facts.notes == ()
    finally:
        os.umask(before)
