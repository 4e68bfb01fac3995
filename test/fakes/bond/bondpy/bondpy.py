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

"""A stand-in for bondpy with its public interface; heartbeats are strings, not bond/Status."""

from threading import Event, Thread
from time import monotonic
from typing import Any
from uuid import uuid4

from std_msgs.msg import String


class _Setting:
    """A time in seconds that may be set until the bond starts, as bondpy asserts."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f'_{name}'

    def __get__(self, bond: Any, owner: type) -> float:
        return getattr(bond, self._name)

    def __set__(self, bond: Any, value: float) -> None:
        assert not bond._started
        setattr(bond, self._name, float(value))


class Bond:
    """One end of a bond: two ends of the same topic and id watch each other."""

    connect_timeout = _Setting()
    heartbeat_timeout = _Setting()
    disconnect_timeout = _Setting()
    heartbeat_period = _Setting()

    def __init__(
        self, node: Any, topic: str, bond_id: str, on_broken: Any = None, on_formed: Any = None
    ) -> None:
        self._started = False
        self.node, self.topic, self.id = node, topic, bond_id
        self.on_broken, self.on_formed = on_broken, on_formed
        self.connect_timeout, self.heartbeat_timeout = 10.0, 4.0
        self.disconnect_timeout, self.heartbeat_period = 2.0, 1.0
        self.instance_id = str(uuid4())
        self.is_shutdown = False
        self._formed, self._broken, self._ended = Event(), Event(), Event()
        self._heard_s = monotonic()
        self.pub = node.create_publisher(String, topic, 10)

    def start(self) -> None:
        """Begin to send heartbeats."""
        self._started = True
        self.sub = self.node.create_subscription(String, self.topic, self._on_status, 10)
        self._thread = Thread(target=self._beat, daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        self._heard_s = monotonic()
        while not self._ended.wait(self.heartbeat_period) and not self._broken.is_set():
            formed = self._formed.is_set()
            patience_s = self.heartbeat_timeout if formed else self.connect_timeout
            if monotonic() - self._heard_s > patience_s:
                self._break()
            else:
                self._publish('alive')

    def _break(self) -> None:
        if not self._broken.is_set():
            self._broken.set()
            if self.on_broken:
                self.on_broken()

    def _publish(self, state: str) -> None:
        self.pub.publish(String(data=f'{self.id} {self.instance_id} {state}'))

    def _on_status(self, message: String) -> None:
        bond_id, instance_id, state = message.data.split()
        if bond_id != self.id or instance_id == self.instance_id:
            return
        self._heard_s = monotonic()
        if state == 'dead':
            self._break()
        elif not self._formed.is_set():
            self._formed.set()
            if self.on_formed:
                self.on_formed()

    def wait_until_formed(self, timeout: Any = None) -> bool:
        """Wait for a `Duration`, while another thread spins the node."""
        return self._formed.wait(None if timeout is None else timeout.nanoseconds / 1e9)

    def wait_until_broken(self, timeout: Any = None) -> bool:
        """Wait for a `Duration`, while another thread spins the node."""
        return self._broken.wait(None if timeout is None else timeout.nanoseconds / 1e9)

    def is_broken(self) -> bool:
        """Return whether the bond was broken."""
        return self._broken.is_set()

    def break_bond(self) -> None:
        """Break the bond, and let the other end know."""
        self._publish('dead')
        self._break()

    def shutdown(self) -> None:
        """Break the bond and let go of its topic."""
        if self.is_shutdown:
            return
        self.sub.destroy()      # as bondpy does: there is none before `start`
        self.is_shutdown = True
        if not self._broken.is_set():
            self.break_bond()
        self._ended.set()
        self._thread.join()
        self.pub.destroy()
