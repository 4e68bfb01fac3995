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

"""An engine is opened as the settings say, or refused; there is no silent fallback."""

from contextlib import closing
from pathlib import Path
import sys
from types import ModuleType

import pytest
from seg_ros.core.errors import EngineError, SettingError
from seg_ros.core.settings import Settings
from seg_ros.engines import (
    CPU_RUNTIMES,
    DEFAULT_METHOD,
    model_file,
    open_engine,
    opening,
    RUNTIMES,
    stand_in,
)
from seg_ros.engines.classical import METHODS
from tiny_model import echo_model


def install(monkeypatch, *names):
    """Make only `names` appear to be installed."""
    monkeypatch.setattr(opening, 'find_spec', lambda name: name if name in names else None)


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('engine', ['auto', 'classical'])
def test_a_classical_method_is_opened_by_its_name(engine, method):
    with closing(open_engine(Settings(engine=engine, model=method))) as opened:
        assert opened.facts.engine == 'classical'
        assert method in opened.card.name


def test_the_classical_default_is_a_method():
    with closing(open_engine(Settings(engine='classical'))) as opened:
        assert DEFAULT_METHOD in opened.card.name


@pytest.mark.parametrize('engine', ['auto', *CPU_RUNTIMES])
def test_every_other_default_is_the_network_of_the_package(engine):
    if engine != 'auto':
        pytest.importorskip(engine, reason=f'{engine} is not installed')
    with closing(open_engine(Settings(engine=engine))) as opened:
        assert (opened.card.name, opened.card.task) == ('default', 'panoptic')
        assert opened.facts.engine in CPU_RUNTIMES


def test_an_unknown_method_is_refused_with_those_that_there_are():
    with pytest.raises(SettingError, match=r'magic.*watershed'):
        open_engine(Settings(engine='classical', model='magic'))


@pytest.mark.parametrize('runtime', CPU_RUNTIMES)
def test_a_runtime_asked_for_by_name_is_opened(tmp_path, runtime):
    pytest.importorskip(runtime, reason=f'{runtime} is not installed')
    with closing(open_engine(Settings(engine=runtime, model=str(echo_model(tmp_path))))) as opened:
        assert opened.facts.engine == runtime


@pytest.mark.parametrize('installed', [CPU_RUNTIMES, CPU_RUNTIMES[1:]])
def test_auto_takes_the_first_runtime_that_is_installed(tmp_path, monkeypatch, installed):
    pytest.importorskip(installed[0], reason=f'{installed[0]} is not installed')
    path = echo_model(tmp_path)
    install(monkeypatch, *installed)
    with closing(open_engine(Settings(model=str(path)))) as opened:
        assert opened.facts.engine == installed[0]


def test_without_any_runtime_it_says_what_to_install(tmp_path, monkeypatch):
    path = echo_model(tmp_path)
    install(monkeypatch)
    with pytest.raises(EngineError, match=r'neither.*pip install'):
        open_engine(Settings(model=str(path)))


def test_auto_skips_a_runtime_that_does_not_take_the_model_and_says_so(tmp_path, monkeypatch):
    pytest.importorskip('openvino', reason='OpenVINO is not installed')
    path = echo_model(tmp_path)

    def refuse(path, settings):
        raise EngineError('refused as planted')

    monkeypatch.setattr('seg_ros.engines.openvino.open_openvino', refuse)
    with closing(open_engine(Settings(model=str(path)))) as opened:
        assert opened.facts.engine == 'onnxruntime'
        assert 'openvino is skipped: refused as planted' in opened.facts.notes
    with pytest.raises(EngineError, match='planted'):
        open_engine(Settings(model=str(path), engine='openvino'))


def test_where_no_runtime_takes_the_model_each_says_why(tmp_path, monkeypatch):
    for name in CPU_RUNTIMES:
        pytest.importorskip(name, reason=f'{name} is not installed')

        def refuse(path, settings, name=name):
            raise EngineError(f'{name} refused as planted')

        monkeypatch.setattr(f'seg_ros.engines.{name}.open_{name}', refuse)
    with pytest.raises(EngineError) as refusal:
        open_engine(Settings(model=str(echo_model(tmp_path))))
    for name in CPU_RUNTIMES:
        assert f'{name} refused as planted' in str(refusal.value)


class FakeTensorRT:
    """Fakes what `auto` queries of a machine with TensorRT."""

    def __init__(self, monkeypatch, *, gpu=True, expected=True, cached=False):
        from seg_ros.engines.cuda import gpu as gpus
        from seg_ros.engines.tensorrt import engine as tensorrt
        from seg_ros.engines.tensorrt import plan_source

        def find(device):
            if not gpu:
                raise EngineError('no NVIDIA driver as planted')
            return device

        monkeypatch.setattr(opening, 'find_spec', lambda name: name)
        for name in ('pycuda', 'pycuda.driver'):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.setattr(opening, 'load_flavour', lambda: None)
        monkeypatch.setattr(gpus, 'find_gpu', find)
        monkeypatch.setattr(gpus, 'may_have_gpu', lambda: expected)
        monkeypatch.setattr(plan_source, 'cached', lambda *_: cached)
        monkeypatch.setattr(tensorrt, 'open_tensorrt', self.open)

    def open(self, path, settings, report, cancelled):
        raise EngineError('TensorRT as planted')


def test_auto_takes_tensorrt_where_there_is_a_gpu(tmp_path, monkeypatch):
    FakeTensorRT(monkeypatch)
    path = echo_model(tmp_path)
    with pytest.raises(EngineError, match='TensorRT as planted'):
        open_engine(Settings(model=str(path)))
    with pytest.raises(EngineError, match='TensorRT as planted'):
        open_engine(Settings(model=str(path), device='CUDA:0'))
    for device in ('CPU', 'cpu'):
        with closing(open_engine(Settings(model=str(path), device=device))) as opened:
            assert opened.facts.engine == CPU_RUNTIMES[0]
            assert not opened.facts.notes


def test_tensorrt_without_a_gpu_is_reported_and_the_cpu_serves(tmp_path, monkeypatch):
    FakeTensorRT(monkeypatch, gpu=False)
    with closing(open_engine(Settings(model=str(echo_model(tmp_path))))) as opened:
        assert opened.facts.engine in CPU_RUNTIMES
        (note,) = opened.facts.notes
        assert 'no NVIDIA driver as planted' in note


def test_tensorrt_where_nobody_expects_a_gpu_is_no_matter(tmp_path, monkeypatch):
    FakeTensorRT(monkeypatch, gpu=False, expected=False)
    path = str(echo_model(tmp_path))
    with closing(open_engine(Settings(model=path))) as opened:
        assert opened.facts.engine in CPU_RUNTIMES
        assert not opened.facts.notes
    with pytest.raises(EngineError, match='no NVIDIA driver as planted'):
        open_engine(Settings(model=path, device='cuda'))


@pytest.mark.parametrize(('engine', 'cached', 'stands_in'), [
    ('auto', False, True), ('auto', True, False), ('tensorrt', False, False),
    ('onnxruntime', False, False),
])
def test_the_cpu_stands_in_only_where_auto_has_to_build(
    tmp_path, monkeypatch, engine, cached, stands_in
):
    FakeTensorRT(monkeypatch, cached=cached)
    settings = Settings(model=str(echo_model(tmp_path)), engine=engine)
    substitute = stand_in(settings)
    assert bool(substitute) == stands_in
    if substitute:
        with closing(open_engine(substitute)) as opened:
            assert opened.facts.engine in CPU_RUNTIMES
    assert stand_in(Settings(model='otsu')) is None


@pytest.mark.parametrize('runtime', RUNTIMES)
def test_a_runtime_that_is_missing_is_not_replaced_by_another(tmp_path, monkeypatch, runtime):
    path = echo_model(tmp_path)
    install(monkeypatch, *(name for name in RUNTIMES if name != runtime))
    with pytest.raises(EngineError, match=f'{runtime} is not installed'):
        open_engine(Settings(engine=runtime, model=str(path)))


def test_a_classical_method_is_no_file_and_a_file_no_method(tmp_path):
    path = echo_model(tmp_path)
    assert model_file(Settings(model='otsu')) is None
    assert model_file(Settings(model=str(path))) == Path(path)
    with pytest.raises(SettingError, match='a classical method, with engine openvino'):
        model_file(Settings(engine='openvino', model='otsu'))


def break_package(monkeypatch, folder, name, source):
    """Install a package that raises when imported, or lacks its attributes."""
    (folder / 'site').mkdir(exist_ok=True)
    (folder / 'site' / f'{name}.py').write_text(source)
    monkeypatch.syspath_prepend(str(folder / 'site'))
    for module in [*sys.modules]:
        if module.split('.')[0] == name or module == f'seg_ros.engines.{name}':
            monkeypatch.delitem(sys.modules, module)


@pytest.mark.parametrize('source', [
    "raise ImportError('libtbb.so.12: cannot open shared object file')",
    "raise ValueError('numpy.dtype size changed')", "raise RuntimeError('no CPU plugin')",
    "raise AttributeError('_ARRAY_API not found')", "raise SystemError('initialization failed')",
    '', 'def',
])
def test_a_broken_openvino_is_skipped_under_auto_with_the_reason(tmp_path, monkeypatch, source):
    path = echo_model(tmp_path)
    break_package(monkeypatch, tmp_path, 'openvino', source)
    with closing(open_engine(Settings(model=str(path)))) as opened:
        assert opened.facts.engine == 'onnxruntime'
        note = opened.facts.notes[-1]       # an earlier one may be about TensorRT without a GPU
        assert 'openvino is skipped: openvino is installed but does not work' in note
        assert source.partition("'")[2].rstrip("')") in note
    with pytest.raises(EngineError, match='does not work'):
        open_engine(Settings(model=str(path), engine='openvino'))


def test_where_every_runtime_is_broken_the_last_says_why(tmp_path, monkeypatch):
    path = echo_model(tmp_path)
    for name in CPU_RUNTIMES:
        break_package(monkeypatch, tmp_path, name, "raise OSError('as planted')")
    with pytest.raises(EngineError, match='onnxruntime is installed but does not work'):
        open_engine(Settings(model=str(path)))


def test_tensorrt_with_a_broken_pycuda_is_reported_and_the_cpu_serves(tmp_path, monkeypatch):
    FakeTensorRT(monkeypatch)
    monkeypatch.setitem(sys.modules, 'pycuda.driver', None)
    with closing(open_engine(Settings(model=str(echo_model(tmp_path))))) as opened:
        assert opened.facts.engine in CPU_RUNTIMES
        (note,) = opened.facts.notes
        assert 'TensorRT is installed but not used: pycuda is installed but does not work' in note
