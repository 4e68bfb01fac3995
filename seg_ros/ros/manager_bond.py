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

"""The bond by which nav2_lifecycle_manager monitors an active node, if bondpy is installed."""

from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.parameter import Parameter

try:
    from bondpy.bondpy import Bond

    BROKEN = ''
except ImportError:     # optional
    Bond, BROKEN = None, ''
except Exception as failure:  # noqa: BLE001 - a broken installation may raise anything
    Bond = None
    BROKEN = f'no bond with nav2_lifecycle_manager: bondpy: {failure}; install it again'

# As in Nav2's own nodes; the manager expects these.
TOPIC = 'bond'
HEARTBEAT_PERIOD_S = 0.1
HEARTBEAT_TIMEOUT_S = 4.0
FAREWELL_S = 0.2    # for the last message to arrive


class ManagerBond:
    """
    Sends heartbeats under the node's name; without a manager bondpy ends them after ten seconds.

    bondpy gets a separate node: it destroys a subscription of its node without notice, which ends
    the spinning of an executor that still waits for it.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._bond: Any = None
        self._bond_node: Node | None = None

    def form(self) -> None:
        """Start sending heartbeats, in a thread of bondpy; call it in the executor's thread."""
        node, name = self._node, self._node.get_name()
        if BROKEN:
            node.get_logger().warning(BROKEN)
        if Bond is None or self._bond is not None:
            return
        self._bond_node = Node(
            f'{name}_bond', namespace=node.get_namespace(), context=node.context,
            use_global_arguments=False, start_parameter_services=False, enable_rosout=False,
            parameter_overrides=[Parameter('start_type_description_service', value=False)],
        )
        bond = Bond(self._bond_node, node.resolve_topic_name(TOPIC), name)
        bond.heartbeat_period = HEARTBEAT_PERIOD_S
        bond.heartbeat_timeout = HEARTBEAT_TIMEOUT_S
        bond.start()
        self._bond = bond
        if node.executor is not None:
            node.executor.add_node(self._bond_node)

    def end(self) -> None:
        """Break the bond, which notifies the manager at once; may be called more than once."""
        bond, self._bond = self._bond, None
        bond_node, self._bond_node = self._bond_node, None
        if bond is not None:
            # bondpy's shutdown destroys its publisher while the message may be in transit.
            bond.break_bond()
            bond.pub.wait_for_all_acked(Duration(seconds=FAREWELL_S))
            bond.shutdown()
        if bond_node is not None:
            if bond_node.executor is not None:
                bond_node.executor.remove_node(bond_node)
            bond_node.destroy_node()
