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

from threading import Event

import pytest
from seg_ros.core.errors import EngineError
from seg_ros.core.thread_start import started, unfinished

PATIENCE_S = 10


def test_a_thread_runs_with_its_arguments_and_counts_as_unfinished_until_it_ends():
    gate, given = Event(), []

    def work(*arguments):
        given.extend(arguments)
        gate.wait(PATIENCE_S)

    thread = started(work, 'planted', 1, 'two')
    assert thread.daemon        # a hung one does not keep the process from ending
    assert 'planted' in unfinished()
    gate.set()
    thread.join(PATIENCE_S)
    assert given == [1, 'two']
    assert 'planted' not in unfinished()


def test_where_the_system_has_no_thread_left_the_error_says_which_limit_to_raise(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr('threading.Thread.start', refuse)
    with pytest.raises(EngineError, match=r"no thread for planted: can't.*ulimit -u"):
        started(print, 'planted')
    assert 'planted' not in unfinished()
