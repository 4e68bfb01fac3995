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

"""A model is swapped without a gap in service; if the new one fails, the old one stays."""

from dataclasses import replace
from threading import Event, Lock, Timer
from time import monotonic, sleep

import pytest
from seg_ros.core.errors import EngineError, GpuMemoryError, NoEngineError, SegError
from seg_ros.core.settings import Settings
from seg_ros.pipeline.model_manager import ModelManager

PATIENCE_S = 10
GPU = Settings(model='/first.onnx', engine='auto')
CPU = Settings(model='/first.onnx', engine='auto', device='CPU')     # as from `engines.stand_in`
OTHER = Settings(model='/second.onnx', engine='auto')
THIRD = Settings(model='/third.onnx')


class Opened:
    """A fake segmenter, which occupies GPU memory until it is closed."""

    def __init__(self, shop, settings):
        self.settings, self._shop = settings, shop

    def close(self):
        self._shop.open.discard(self)


class Shop:
    """Opens fake segmenters; tests choose which settings fail and which have to wait."""

    def __init__(self):
        self.open, self.log, self.fails, self.gates, self.room = set(), [], {}, {}, 2
        self.cancelled = Event()
        self._lock = Lock()

    def __call__(self, settings, report, cancelled):
        self.log.append(settings)
        gate = self.gates.get(settings)
        while gate and not gate.wait(0.01):
            if cancelled():
                self.cancelled.set()
                raise EngineError('cancelled as asked')
        if settings in self.fails:
            raise self.fails[settings]
        with self._lock:
            if len(self.open) >= self.room:
                raise GpuMemoryError('no room')
            opened = Opened(self, settings)
            self.open.add(opened)
        return opened


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def manage(shop):
    """Make managers, and close them at the end."""
    managers = []

    def make(settings, report=lambda phase, share: None):
        manager = ModelManager(
            report=report, opener=shop, stands_in=lambda wanted: CPU if wanted == GPU else None
        )
        managers.append(manager)
        manager.load(settings)
        return manager

    yield make
    for manager in managers:
        assert manager.close(PATIENCE_S)
    until(lambda: not shop.open)


def until(condition):
    end = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < end
        sleep(0.002)


def ended(manager):
    until(lambda: manager.state.status != 'loading')
    return manager.state


def test_the_cpu_serves_while_tensorrt_builds(shop, manage):
    shop.gates[GPU] = Event()
    manager = manage(GPU)
    manager.wait()
    assert manager.holder.current.settings == CPU
    assert (manager.state.status, manager.state.pending) == ('loading', GPU.model)
    shop.gates[GPU].set()
    assert ended(manager).status == 'serving'
    assert manager.holder.current.settings == GPU
    until(lambda: [each.settings for each in shop.open] == [GPU])
    assert shop.log == [CPU, GPU]


def test_a_build_that_fails_leaves_the_cpu_engine(shop, manage):
    shop.fails[GPU] = EngineError('refused as planted')
    manager = manage(GPU)
    state = ended(manager)
    assert (state.status, state.failed, state.error) == ('failed', GPU.model, shop.fails[GPU])
    assert manager.holder.current.settings == CPU


def test_a_first_model_that_fails_raises_its_own_error(shop, manage):
    shop.fails[CPU] = EngineError('refused as planted')
    with pytest.raises(SegError, match='planted'):
        manage(GPU).wait()


def test_closing_cancels_a_load_first(shop, manage):
    shop.gates[OTHER] = Event()
    manager = manage(OTHER)
    begun = monotonic()
    assert manager.close(PATIENCE_S)
    assert monotonic() - begun < PATIENCE_S / 2
    assert manager.state.status == 'none'
    with pytest.raises(NoEngineError), manager.holder.acquire():
        pass


def test_closing_waits_for_a_load_that_ends_late(shop):
    begun, go_on = Event(), Event()

    def opener(settings, report, cancelled):
        begun.set()
        go_on.wait(PATIENCE_S)      # although it is cancelled
        return shop(settings, report, cancelled)

    manager = ModelManager(opener=opener, stands_in=lambda _: None)
    manager.load(OTHER)
    assert begun.wait(PATIENCE_S)
    Timer(0.1, go_on.set).start()
    assert manager.close(PATIENCE_S)
    assert not shop.open


def test_where_nothing_was_loaded_closing_has_nothing_to_wait_for():
    assert ModelManager().close(PATIENCE_S)


def test_a_load_that_is_cancelled_ends_at_once_and_nothing_serves(shop, manage):
    shop.gates[OTHER] = Event()
    manager = manage(OTHER)
    manager.cancel_load()
    assert shop.cancelled.wait(PATIENCE_S)
    assert manager.holder.current is None


def test_waiting_ends_with_the_process(shop, manage):
    shop.gates[OTHER] = Event()
    with pytest.raises(EngineError, match='cancelled'):
        manage(OTHER).wait(lambda: True)


def test_the_newest_request_wins(shop, manage):
    shop.gates[OTHER] = Event()
    manager = manage(OTHER)
    manager.load(THIRD)
    assert ended(manager).active == THIRD.model
    assert manager.take_failure() is None
    assert [each.settings for each in shop.open] == [THIRD]


def test_what_serves_goes_on_where_the_model_that_was_to_follow_it_is_revoked(shop, manage):
    manager = manage(OTHER)
    manager.wait()
    ended(manager)
    serving = manager.holder.current
    shop.gates[THIRD] = Event()
    manager.load(THIRD)
    manager.load(replace(OTHER, score_threshold=0.7))
    state = ended(manager)
    assert (state.status, state.active, state.pending) == ('serving', OTHER.model, '')
    assert manager.holder.current is serving
    assert shop.log.count(OTHER) == len(shop.open) == 1
    assert not manager.wants(OTHER.model)


def test_where_the_cpu_stands_in_the_build_begins_anew_and_the_cpu_goes_on(shop, manage):
    shop.gates[GPU] = Event()
    manager = manage(GPU)
    manager.wait()
    manager.load(OTHER)
    manager.load(GPU)
    shop.gates[GPU].set()
    assert ended(manager).active == GPU.model
    assert manager.holder.current.settings == GPU
    assert shop.log.count(CPU) == 1


def test_a_failure_is_reported_once_and_what_serves_is_settled_for(shop, manage):
    manager = manage(OTHER)
    manager.wait()
    shop.fails[THIRD] = EngineError('refused as planted')
    manager.load(THIRD)
    ended(manager)
    assert not manager.wants(THIRD.model)
    failure = manager.take_failure()
    assert (failure.failed, failure.active) == (THIRD.model, OTHER.model)
    assert manager.take_failure() is None
    assert manager.state.status == 'serving'
    assert not manager.wants(OTHER.model)
    assert manager.wants(THIRD.model)


def test_a_failure_where_nothing_serves_is_reported_once_and_stays(shop, manage):
    shop.fails[OTHER] = EngineError('refused as planted')
    manager = manage(OTHER)
    ended(manager)
    failure = manager.take_failure()
    assert (failure.failed, failure.active) == (OTHER.model, '')
    assert manager.take_failure() is None
    assert manager.state.status == 'failed'


def test_a_failure_is_forgotten_where_something_else_is_wanted_by_now(shop, manage):
    manager = manage(OTHER)
    manager.wait()
    shop.fails[THIRD] = EngineError('refused as planted')
    shop.gates[CPU] = Event()
    manager.load(THIRD)
    ended(manager)
    manager.load(CPU)
    assert manager.take_failure() is None
    shop.gates[CPU].set()
    assert ended(manager).active == CPU.model


def test_where_two_models_do_not_fit_the_old_one_is_closed_first_and_reported(shop, manage):
    reported = []
    manager = manage(OTHER, lambda phase, share: reported.append(phase))
    manager.wait()
    shop.room = 1
    manager.load(THIRD)
    assert ended(manager).active == THIRD.model
    assert [each.settings for each in shop.open] == [THIRD]
    assert f'{OTHER.model} is closed first' in reported[-1]


@pytest.mark.parametrize('problem', [GpuMemoryError('too large'), ZeroDivisionError('planted')])
def test_an_old_model_that_was_closed_in_vain_is_opened_again(shop, manage, problem):
    manager = manage(OTHER)
    manager.wait()
    shop.room, real = 1, shop.fails

    class FailsOnceAlone(dict):
        def __contains__(self, settings):
            return settings == THIRD and not shop.open

        def __getitem__(self, settings):
            return problem

    shop.fails = FailsOnceAlone(real)
    manager.load(THIRD)
    state = ended(manager)
    assert (state.status, state.active, state.error) == ('failed', OTHER.model, problem)
    with manager.holder.acquire() as segmenter:
        assert segmenter.settings == OTHER


def test_where_the_old_model_cannot_be_opened_again_nothing_serves_and_the_reason_is_known(
    shop, manage
):
    manager = manage(OTHER)
    manager.wait()
    shop.room = 0
    manager.load(THIRD)
    state = ended(manager)
    assert (state.status, state.active) == ('failed', '')
    with pytest.raises(NoEngineError, match='could not be opened again'), (
        manager.holder.acquire()
    ):
        pass
    shop.room = 2
    assert manager.wants(THIRD.model, again=True)
    manager.load(THIRD)
    assert ended(manager).active == THIRD.model


def test_a_load_that_hangs_does_not_keep_others_from_loading(shop, manage, monkeypatch):
    monkeypatch.setattr('seg_ros.pipeline.model_manager.HANDOVER_S', 0.05)
    gate, hanging = Event(), replace(OTHER, model='/hangs.onnx')
    opener = shop.__call__

    def open_or_hang(settings, report, cancelled):
        if settings == hanging:
            gate.wait(PATIENCE_S)
        return opener(settings, report, cancelled)

    manager = ModelManager(opener=open_or_hang, stands_in=lambda wanted: None)
    manager.load(hanging)
    manager.load(THIRD)
    assert ended(manager).active == THIRD.model
    gate.set()
    until(lambda: [each.settings for each in shop.open] == [THIRD])
    assert manager.close(PATIENCE_S)


def test_a_hung_frame_does_not_keep_the_manager_from_closing(shop, manage):
    manager = manage(OTHER)
    manager.wait()
    with manager.holder.acquire():
        begun = monotonic()
        assert not manager.close(0.1)
        assert monotonic() - begun < PATIENCE_S


def test_an_old_model_that_cannot_be_opened_again_leaves_the_next_one_alone(monkeypatch, shop):
    monkeypatch.setattr('seg_ros.pipeline.model_manager.HANDOVER_S', 0.05)
    reopening, go_on = Event(), Event()

    def opener(settings, report, cancelled):
        if settings == GPU and GPU in shop.log:
            reopening.set()
            go_on.wait(PATIENCE_S)          # although it is cancelled
            raise EngineError('not again')
        return shop(settings, report, cancelled)

    shop.room, shop.fails = 1, {OTHER: GpuMemoryError('never')}
    manager = ModelManager(opener=opener, stands_in=lambda _: None)
    try:
        manager.load(GPU)
        assert ended(manager).active == GPU.model
        manager.load(OTHER)
        assert reopening.wait(PATIENCE_S)
        manager.load(THIRD)
        until(lambda: manager.state.active == THIRD.model)
        before = manager.holder.current
        go_on.set()
        sleep(0.2)
        assert manager.holder.current is before
        assert before.settings == THIRD
    finally:
        go_on.set()
        assert manager.close(PATIENCE_S)


def test_a_system_without_threads_fails_the_load_and_what_serves_goes_on(
    shop, manage, monkeypatch
):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    manager = manage(OTHER)
    manager.wait()
    with monkeypatch.context() as full:
        full.setattr('threading.Thread.start', refuse)
        manager.load(THIRD)
        failure = manager.take_failure()
    assert (failure.failed, failure.active) == (THIRD.model, OTHER.model)
    assert 'ulimit -u' in str(failure.error)
    manager.load(THIRD)
    assert ended(manager).active == THIRD.model
