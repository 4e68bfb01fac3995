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

"""In random interleavings of requests, loads and lifecycle, the set model serves or is pending."""

from contextlib import suppress
from threading import Condition, Lock
from time import monotonic

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, RuleBasedStateMachine
from seg_ros.core.errors import EngineError, GpuMemoryError, NoEngineError
from seg_ros.core.settings import Settings
from seg_ros.pipeline.model_manager import ModelManager

MODELS = ('a', 'b', 'c', 'd')
OUTCOMES = ('success', 'failure', 'fault', 'memory')
DEADLINE_S = 5.0


class Segmenter:
    def __init__(self, model, closed):
        self.model, self._closed, self.is_closed = model, closed, False

    def close(self):
        assert not self.is_closed
        self.is_closed = True
        self._closed(self)


class Loads:
    """Lets the test decide how each load ends, and when."""

    def __init__(self):
        self._changed = Condition(Lock())
        self._waiting, self._outcome = 0, {}
        self.open = set()

    def __call__(self, settings, report, cancelled):
        with self._changed:
            ticket = object()
            self._waiting += 1
            self._changed.notify_all()
            while ticket not in self._outcome and not cancelled():
                if self._outcome.get('next'):
                    self._outcome[ticket] = self._outcome.pop('next')
                    break
                self._changed.wait(0.002)
            self._waiting -= 1
            outcome = self._outcome.pop(ticket, None)
            self._changed.notify_all()
        if outcome is None:
            raise EngineError('cancelled')
        if outcome == 'memory' and self.open:
            raise GpuMemoryError('full as planted')
        if outcome in ('failure', 'memory'):
            raise EngineError('refused as planted')
        if outcome == 'fault':
            raise ZeroDivisionError('planted')
        opened = Segmenter(settings.model, self.open.discard)
        self.open.add(opened)
        return opened

    def let_one_end(self, outcome):
        """End the waiting load in this way; do nothing if none is waiting."""
        with self._changed:
            if self._waiting:
                self._outcome['next'] = outcome
                self._changed.notify_all()
                self._changed.wait_for(lambda: 'next' not in self._outcome, DEADLINE_S)


class Node(RuleBasedStateMachine):
    """What the node adds to the manager: the parameter, and the lifecycle."""

    @initialize()
    def configure(self):
        self.loads = Loads()
        self.parameter = 'a'
        self.manager = None
        self.restart()

    def restart(self):
        self.manager = ModelManager(opener=self.loads, stands_in=lambda wanted: None)
        self.manager.load(Settings(model=self.parameter))

    @rule(model=st.sampled_from(MODELS))
    def set_parameter(self, model):
        self.parameter = model
        if self.manager and self.manager.wants(model, again=True):
            self.manager.load(Settings(model=model))

    @rule(outcome=st.sampled_from(OUTCOMES))
    def a_load_ends(self, outcome):
        self.loads.let_one_end(outcome)

    @rule()
    def the_node_looks(self):
        failure = self.manager and self.manager.take_failure()
        if failure and failure.active:
            self.parameter = failure.active

    @rule()
    def a_frame_passes(self):
        if self.manager is None:
            return
        with suppress(NoEngineError), self.manager.holder.acquire() as segmenter:
            assert not segmenter.is_closed

    @rule()
    def clean_up(self):
        self.close()

    @rule()
    def configure_again(self):
        if self.manager is None:
            self.restart()

    def close(self):
        if self.manager is None:
            return
        manager, self.manager = self.manager, None
        begun = monotonic()
        assert manager.close(DEADLINE_S)
        assert monotonic() - begun < DEADLINE_S
        assert manager.holder.current is None

    @invariant()
    def the_parameter_names_what_serves_or_what_is_pending(self):
        if getattr(self, 'manager', None) is None:
            return
        state = self.manager.state
        if state.status in ('loading', 'serving'):
            assert self.parameter in (state.active, state.pending)
        if state.status == 'serving':
            assert self.parameter == state.active

    @invariant()
    def nothing_closed_is_current(self):
        if getattr(self, 'manager', None) is not None:
            current = self.manager.holder.current
            assert current is None or not current.is_closed

    def teardown(self):
        self.close()


TestInterleavings = Node.TestCase
TestInterleavings.settings = hypothesis.settings(
    max_examples=40, stateful_step_count=30, deadline=None, derandomize=True,
)
