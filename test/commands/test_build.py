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

"""`seg_ros build`, with a stand-in for TensorRT and for the GPU."""

from collections.abc import Iterator
from importlib.util import find_spec
import json
import os
from pathlib import Path
import sys
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import pytest
from seg_ros import cli
from seg_ros.commands import plan_cache
from seg_ros.compile.compile_model import compile_model
from seg_ros.core.card import ClassInfo, InputSpec, ModelCard
from seg_ros.core.errors import EngineError
from seg_ros.engines.cuda import gpu
from seg_ros.engines.cuda.gpu import Gpu

HERE = Path(__file__).parent
FAKES, ROOT = HERE.parent / 'fakes', HERE.parents[1]
ORIN = Gpu(0, 'Orin', '8.7', '540.4.0, CUDA 12.6', True, 15655)


@pytest.fixture(scope='session')
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('model')
    kernel = np.ones((2, 3, 4, 4), np.float32)
    graph = helper.make_graph(
        [helper.make_node('Conv', ['images', 'kernel'], ['scores'], strides=[4, 4])], 'tiny',
        [helper.make_tensor_value_info('images', TensorProto.FLOAT, ['N', 3, 32, 32])],
        [helper.make_tensor_value_info('scores', TensorProto.FLOAT, None)],
        [numpy_helper.from_array(kernel, 'kernel')],
    )
    raw = folder / 'raw.onnx'
    onnx.save(helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8
    ), raw)
    classes = tuple(ClassInfo(index, f'class {index}', (index + 1, 0, 0)) for index in range(2))
    card = ModelCard('tiny', 'semantic', classes, input=InputSpec((32, 32)))
    path = folder / 'tiny.model.onnx'
    onnx.save(compile_model(raw, card), path)
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Gpu]]:
    """Give a machine with one GPU, which the test may change."""
    machine = {'cuda:0': ORIN}

    def find(device: str = 'auto') -> Gpu:
        name = 'cuda:0' if device == 'auto' else device
        if name not in machine:
            raise EngineError(f'no GPU {name}')
        return machine[name]

    for module in (gpu, plan_cache):
        monkeypatch.setattr(module, 'find_gpu', find)
    monkeypatch.setattr(plan_cache, 'gpu_count', lambda: len(machine))
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.syspath_prepend(str(FAKES))
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(map(str, (FAKES, ROOT))))
    yield machine
    for name in [name for name in sys.modules if name.partition('.')[0] == 'tensorrt']:
        del sys.modules[name]


def figures(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    assert cli.main(['build', *map(str, words), '--json']) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_plan_is_built_listed_and_reused(
    model: Path, here: dict[str, Gpu], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = figures(capsys, model, '--max-batch', 2)
    file = Path(built['file'])
    assert file.parent == tmp_path / 'seg_ros'
    assert built['bytes'] == file.stat().st_size
    assert (built['model'], built['precision'], built['max_batch']) == ('tiny', 'fp32', 2)
    assert 'Orin' in built['machine']
    again = figures(capsys, model, '--max-batch', 2)
    assert (again['file'], again['build_s']) == (built['file'], built['build_s'])
    (plan,) = figures(capsys, '--list')['plans']
    assert plan['fits'] is True
    assert plan['bytes'] > built['bytes']
    assert plan['age_s'] < 600
    assert (plan['model'], plan['precision']) == ('tiny', 'fp32')


def test_another_gpu_makes_a_plan_one_to_prune(
    model: Path, here: dict[str, Gpu], capsys: pytest.CaptureFixture[str]
) -> None:
    figures(capsys, model)
    here['cuda:0'] = Gpu(0, 'Thor', '11.0', '580.0, CUDA 13.0', True, 128000)
    (plan,) = figures(capsys, '--list')['plans']
    assert plan['fits'] is False
    assert 'Orin' in plan['flaw']
    here['cuda:1'] = ORIN
    assert figures(capsys, '--prune')['removed'] == []
    del here['cuda:1']
    removed = figures(capsys, '--prune')
    assert removed['bytes'] > 0
    assert plan['key'] in [item['name'] for item in removed['removed']]
    assert figures(capsys, '--list')['plans'] == []


def test_people_get_a_line_for_each_plan_and_phase(
    model: Path, here: dict[str, Gpu], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(['build', str(model)]) == 0
    assert 'seg_ros build: Timing tactics' in capsys.readouterr().err
    assert cli.main(['build', '--list']) == 0
    listed = capsys.readouterr().out
    assert 'tiny, fp32, batch 1: 0.0 MiB, 0 h 0 min old, fits this machine' in listed


def test_without_a_gpu_the_error_says_where_to_build(
    model: Path, here: dict[str, Gpu], capsys: pytest.CaptureFixture[str]
) -> None:
    here.clear()
    assert cli.main(['build', str(model)]) == 1
    assert 'build on the machine that will run it' in capsys.readouterr().err
    assert 'no TensorRT or no GPU here' in str(figures(capsys, '--list')['machines'])


@pytest.mark.parametrize(('words', 'message'), [
    ([], 'no model'),
    (['MODEL', '--list'], 'a model with --list or --prune'),
    (['MODEL', '--for', 'sm89'], 'one of --for and -o'),
    (['MODEL', '-o', 'file'], 'one of --for and -o'),
    (['nowhere.onnx'], 'nowhere.onnx cannot be read'),
    (['MODEL', '--max-batch', '0'], 'max_batch: 0'),
])
def test_words_that_do_not_go_together_are_refused(
    words: list[str], message: str, model: Path, here: dict[str, Gpu],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(['build', *(word.replace('MODEL', str(model)) for word in words)]) == 1
    assert message in capsys.readouterr().err


def test_capabilities_that_are_none_are_refused(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(['build', str(model), '--for', 'ada', '-o', 'file'])
    assert 'compute capabilities are given as sm86,sm89' in capsys.readouterr().err


@pytest.mark.skipif(
    find_spec('tensorrt_rtx') is not None, reason='TensorRT-RTX is installed: it would be used'
)
def test_without_tensorrt_rtx_building_for_others_says_what_is_missing(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ['build', str(model), '--for', 'sm89', '-o', str(tmp_path / 'plan')]
    assert cli.main(words) == 1
    assert 'builds only on the GPU that the plan is for' in capsys.readouterr().err


@pytest.mark.skipif(
    find_spec('tensorrt_rtx') is None, reason='TensorRT-RTX is not installed (tensorrt-rtx-cu12)'
)
def test_tensorrt_rtx_builds_for_machines_that_are_not_here(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / 'tiny.plan'
    found = figures(capsys, model, '--for', 'sm86,8.9', '-o', file)
    assert found['compute_capabilities'] == ['8.6', '8.9']
    assert found['bytes'] == file.stat().st_size > 1000
    nowhere = ['build', str(model), '--for', 'sm89', '-o', str(tmp_path / 'no' / 'plan')]
    assert cli.main(nowhere) == 1
    assert 'cannot be written' in capsys.readouterr().err
