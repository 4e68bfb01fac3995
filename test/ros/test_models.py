"""A model is exchanged without a dark moment, and what fails leaves the old one."""

from threading import Event

import pytest
from seg_ros.core.errors import EngineError, GpuMemoryError, SegError
from seg_ros.core.settings import Settings
from seg_ros.ros import models
from seg_ros.ros.models import Models

PATIENCE_S = 10
GPU = Settings(model='/first.onnx', engine='auto')
CPU = Settings(model='/first.onnx', engine='openvino')
OTHER = Settings(model='/second.onnx', engine='auto')


class Opened:
    """Stands in a segmenter's place, and for the memory of the GPU that it takes."""

    def __init__(self, shop, settings):
        self.settings, self._shop = settings, shop

    def close(self):
        self._shop.open.discard(self)


class Shop:
    """Opens segmenters; which settings fail and which have to wait can be planted."""

    def __init__(self):
        self.open, self.log, self.fails, self.gates, self.room = set(), [], {}, {}, 2

    def __call__(self, settings, report, cancelled):
        self.log.append(settings)
        gate = self.gates.get(settings)
        while gate and not gate.wait(0.01):
            if cancelled():
                raise EngineError('called off')
        if settings in self.fails:
            raise self.fails[settings]
        if len(self.open) >= self.room:
            raise GpuMemoryError('no room')
        opened = Opened(self, settings)
        self.open.add(opened)
        return opened


@pytest.fixture
def shop(monkeypatch):
    shop = Shop()
    monkeypatch.setattr(models, 'open_segmenter', shop)
    monkeypatch.setattr(models, 'stand_in', {GPU: CPU}.get)
    return shop


def test_the_cpu_serves_while_tensorrt_builds(shop):
    shop.gates[GPU] = Event()
    served = Models(GPU)
    assert served.lease.current.settings == CPU
    assert served.pending == GPU.model
    shop.gates[GPU].set()
    assert served.ended.get(timeout=PATIENCE_S) == (GPU.model, None)
    assert served.lease.current.settings == GPU
    assert [each.settings for each in shop.open] == [GPU]
    assert shop.log == [CPU, GPU]
    served.close()
    assert not shop.open


def test_a_build_that_fails_leaves_the_cpu_engine(shop):
    shop.fails[GPU] = EngineError('refused as planted')
    served = Models(GPU)
    model, problem = served.ended.get(timeout=PATIENCE_S)
    assert (model, problem) == (GPU.model, shop.fails[GPU])
    assert served.lease.current.settings == CPU
    assert served.pending == ''
    served.close()


def test_closing_calls_a_build_off(shop):
    shop.gates[GPU] = Event()
    served = Models(GPU)
    served.close()
    assert 'called off' in str(served.ended.get(timeout=PATIENCE_S)[1])
    assert not shop.open


def test_the_end_of_the_process_calls_a_build_off_too(shop):
    shop.gates[OTHER], ended = Event(), Event()
    ended.set()
    with pytest.raises(EngineError, match='called off'):
        Models(OTHER, cancelled=ended.is_set)


def test_where_two_models_do_not_fit_the_old_one_is_freed_first_and_told(shop):
    told = []
    served = Models(OTHER, lambda phase, share: told.append(phase))
    shop.room = 1
    new = Settings(model='/third.onnx')
    served.load(new)
    assert served.ended.get(timeout=PATIENCE_S) == (new.model, None)
    assert served.lease.current.settings == new
    assert [each.settings for each in shop.open] == [new]
    assert 'freed first' in told[-1]
    assert OTHER.model in told[-1]
    served.close()


def test_an_old_model_that_was_freed_in_vain_is_opened_again(shop):
    served = Models(OTHER)
    shop.room = 1
    new = Settings(model='/third.onnx')
    shop.fails[new] = GpuMemoryError('too large for an empty GPU')
    served.load(new)
    assert served.ended.get(timeout=PATIENCE_S) == (new.model, shop.fails[new])
    assert served.active == OTHER.model
    assert [each.settings for each in shop.open] == [OTHER]
    with served.lease.borrow() as segmenter:
        assert segmenter.settings == OTHER
    served.close()


def test_a_first_model_that_fails_leaves_nothing_open(shop):
    shop.fails[CPU] = EngineError('refused as planted')
    with pytest.raises(SegError, match='planted'):
        Models(GPU)
    assert not shop.open
