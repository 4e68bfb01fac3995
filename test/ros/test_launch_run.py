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

"""The launch file starts the node, and a lifecycle manager drives it through its states."""

import os
from pathlib import Path
import signal
import sys
from time import monotonic, sleep

from launching import launched as started
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
import pytest
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

pytest.importorskip('launch_ros', reason='launch_ros is not installed')
pytestmark = [pytest.mark.ros, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
STAND_IN = ROOT / 'test' / 'fakes' / 'bond'
PATIENCE_S = 90.0


class Manager:
    """Requests transitions as nav2_lifecycle_manager does, and then the state."""

    def __init__(self, context, name):
        self.node = Node('manager', context=context)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self._change = self.node.create_client(ChangeState, f'{name}/change_state')
        self._state = self.node.create_client(GetState, f'{name}/get_state')

    def _answer(self, client, request):
        assert client.wait_for_service(PATIENCE_S)
        future = client.call_async(request)
        self._executor.spin_until_future_complete(future, PATIENCE_S)
        return future.result()

    def change(self, transition):
        request = ChangeState.Request(transition=Transition(id=transition))
        return self._answer(self._change, request).success

    def state(self):
        return self._answer(self._state, GetState.Request()).current_state.id

    def wait_for(self, state):
        deadline = monotonic() + PATIENCE_S
        while (found := self.state()) != state and monotonic() < deadline:
            sleep(0.2)
        return found

    def is_bonded(self, bond_class, name):
        """Wait for the node's end of the bond, as the manager does once it has activated it."""
        bond = bond_class(self.node, 'bond', name)
        bond.heartbeat_period = 0.1
        bond.start()
        while not (formed := bond.wait_until_formed(Duration(seconds=0.01))):
            if bond.is_broken():
                break
            self._executor.spin_once(0.05)
        bond.break_bond()
        return formed

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()


@pytest.fixture
def launched(ros):
    """Launch the node under a unique name."""
    processes = []

    def launch(name, *arguments, path=()):
        search = os.pathsep.join([*path, os.environ.get('PYTHONPATH', '')])
        process = started(
            'segmentation.launch.py', f'name:={name}', 'model:=otsu', *arguments,
            AMENT_PREFIX_PATH=sys.prefix, PYTHONPATH=search,
        )
        manager = Manager(ros, name)
        processes.append((process, manager))
        return process, manager

    yield launch
    for process, manager in processes:
        manager.close()
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_a_manager_takes_a_launched_node_through_its_states_and_back(launched):
    process, manager = launched('driven', 'autostart:=false')
    assert manager.state() == State.PRIMARY_STATE_UNCONFIGURED
    for transition, state in (
        (Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE),
        (Transition.TRANSITION_ACTIVATE, State.PRIMARY_STATE_ACTIVE),
        (Transition.TRANSITION_DEACTIVATE, State.PRIMARY_STATE_INACTIVE),
        (Transition.TRANSITION_CLEANUP, State.PRIMARY_STATE_UNCONFIGURED),
        (Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE),
        (Transition.TRANSITION_ACTIVATE, State.PRIMARY_STATE_ACTIVE),
    ):
        assert manager.change(transition)
        assert manager.state() == state
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert 'process has finished cleanly' in output, output


def test_a_manager_that_waits_for_bonds_finds_one_where_bondpy_is_installed(
    launched, monkeypatch
):
    monkeypatch.syspath_prepend(str(STAND_IN))
    from bondpy.bondpy import Bond

    process, manager = launched('bonded', 'autostart:=false', path=[str(STAND_IN)])
    assert manager.change(Transition.TRANSITION_CONFIGURE)
    assert manager.change(Transition.TRANSITION_ACTIVATE)
    assert manager.is_bonded(Bond, 'bonded')
    assert manager.change(Transition.TRANSITION_DEACTIVATE)
    assert manager.change(Transition.TRANSITION_ACTIVATE)
    assert manager.is_bonded(Bond, 'bonded')
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert 'process has finished cleanly' in output, output


def test_a_launched_node_starts_itself(launched):
    process, manager = launched('alone')
    assert manager.wait_for(State.PRIMARY_STATE_ACTIVE) == State.PRIMARY_STATE_ACTIVE
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert 'process has finished cleanly' in output, output
