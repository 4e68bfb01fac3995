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

"""The bond that nav2_lifecycle_manager waits for, with bondpy and without."""

from importlib import reload
from pathlib import Path
import sys
from types import SimpleNamespace

from lifecycle_msgs.msg import Transition
import pytest
from rclpy.duration import Duration
from seg_ros.ros import manager_bond

FAKES = Path(__file__).parents[1] / 'fakes' / 'bond'
PATIENCE = Duration(seconds=10)


@pytest.fixture(params=['installed', 'stand-in'])
def bond(request, monkeypatch):
    """Return the class of the installed bondpy, then that of its stand-in."""
    for name in ('bondpy', 'bondpy.bondpy'):
        monkeypatch.delitem(sys.modules, name, raising=False)
    if request.param == 'stand-in':
        monkeypatch.syspath_prepend(str(FAKES))
    bondpy = pytest.importorskip('bondpy.bondpy', reason='bondpy is not installed')
    monkeypatch.setattr(manager_bond, 'Bond', bondpy.Bond)
    return bondpy.Bond


def leave(bond):
    """Break a bond and wait until its thread, which repeats that, has ended."""
    bond.break_bond()
    assert bond.wait_until_broken(PATIENCE)


@pytest.fixture
def managed(robot, bond):
    """Return an active node, and its manager's end of the bond."""
    each = robot(autostart=False)
    assert each.change_state(Transition.TRANSITION_CONFIGURE)
    assert each.change_state(Transition.TRANSITION_ACTIVATE)
    manager = bond(each.tester, 'bond', 'segmentation')
    manager.heartbeat_period = 0.1
    manager.start()
    each.manager = manager      # kept, as destroying it would stop the tester's spinning
    yield each, manager
    leave(manager)


def test_an_active_node_forms_the_bond_that_a_manager_waits_for(managed):
    _, manager = managed
    assert manager.wait_until_formed(PATIENCE)


@pytest.mark.parametrize('transition', [
    Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVE_SHUTDOWN,
])
def test_a_manager_learns_at_once_that_the_node_is_active_no_longer(managed, transition):
    each, manager = managed
    assert manager.wait_until_formed(PATIENCE)
    assert each.change_state(transition)
    assert manager.wait_until_broken(PATIENCE)


def test_the_last_heartbeat_arrives_before_its_publisher_goes(robot, monkeypatch):
    calls = []

    class Recorded:
        def __init__(self, *_):
            self.pub = SimpleNamespace(
                wait_for_all_acked=lambda timeout: calls.append('wait_for_all_acked')
            )

        def start(self):
            calls.append('start')

        def break_bond(self):
            calls.append('break_bond')

        def shutdown(self):
            calls.append('shutdown')

    monkeypatch.setattr(manager_bond, 'Bond', Recorded)
    bond = manager_bond.ManagerBond(robot(autostart=False).node)
    bond.form()
    bond.end()
    assert calls == ['start', 'break_bond', 'wait_for_all_acked', 'shutdown']


def test_a_node_that_is_activated_anew_forms_a_bond_anew(managed, bond):
    each, manager = managed
    assert manager.wait_until_formed(PATIENCE)
    assert each.change_state(Transition.TRANSITION_DEACTIVATE)
    assert each.change_state(Transition.TRANSITION_ACTIVATE)
    each.second = second = bond(each.tester, 'bond', 'segmentation')
    second.start()
    assert second.wait_until_formed(PATIENCE)
    leave(second)


def test_the_node_stays_active_when_its_manager_ends(managed):
    each, manager = managed
    assert manager.wait_until_formed(PATIENCE)
    manager.break_bond()
    assert each.state() == 'active'
    assert each.change_state(Transition.TRANSITION_DEACTIVATE)


def test_a_bond_that_cannot_be_formed_is_logged_and_the_node_is_active(robot, monkeypatch, capfd):
    def refuse(*_):
        raise RuntimeError('no type support for bond/Status')

    monkeypatch.setattr(manager_bond, 'Bond', refuse)
    each = robot()
    each.wait(lambda: each.state() == 'active', 'autostart')
    assert 'no type support for bond/Status' in capfd.readouterr().err


def test_without_bondpy_the_node_becomes_active_and_has_no_bond(robot, monkeypatch):
    monkeypatch.setattr(manager_bond, 'Bond', None)
    each = robot()
    each.wait(lambda: each.state() == 'active', 'autostart')
    assert each.node.count_publishers('bond') == 0


def test_a_broken_bondpy_is_skipped_with_its_reason(monkeypatch, tmp_path):
    (tmp_path / 'bondpy').mkdir()
    (tmp_path / 'bondpy' / '__init__.py').touch()
    (tmp_path / 'bondpy' / 'bondpy.py').write_text("raise RuntimeError('of another ROS')")
    with monkeypatch.context() as broken:
        broken.syspath_prepend(str(tmp_path))
        for name in ('bondpy', 'bondpy.bondpy'):
            broken.delitem(sys.modules, name, raising=False)
        reload(manager_bond)
        assert manager_bond.Bond is None
        assert 'of another ROS' in manager_bond.BROKEN
    for name in ('bondpy', 'bondpy.bondpy'):
        sys.modules.pop(name, None)
    reload(manager_bond)
    assert not manager_bond.BROKEN
