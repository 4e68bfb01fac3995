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

"""The bond by which nav2_lifecycle_manager watches an active node, where bondpy is installed."""

from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.parameter import Parameter

try:
    from bondpy.bondpy import Bond

    BROKEN = ''
except ImportError:     # optional
    Bond, BROKEN = None, ''
except Exception as failure:  # noqa: BLE001 - a broken installation raises what it likes
    Bond = None
    BROKEN = f'no bond with nav2_lifecycle_manager: bondpy: {failure}; install it again'

# What the manager expects, as Nav2's own nodes have it.
TOPIC = 'bond'
HEARTBEAT_PERIOD_S = 0.1
HEARTBEAT_TIMEOUT_S = 4.0
FAREWELL_S = 0.2    # for the last heartbeat to arrive


class ManagerBond:
    """
    Heartbeats under the node's name; without a manager bondpy ends them after ten seconds.

    Bondpy gets a node of its own beside the one that it speaks for: it destroys a subscription
    behind its node's back, which ends the spinning of whoever still waits for that.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._bond: Any = None
        self._beside: Node | None = None

    def form(self) -> None:
        """Begin to send heartbeats, in a thread of bondpy's; call it in the thread that spins."""
        node, name = self._node, self._node.get_name()
        if BROKEN:
            node.get_logger().warning(BROKEN)
        if Bond is None or self._bond is not None:
            return
        self._beside = Node(
            f'{name}_bond', namespace=node.get_namespace(), context=node.context,
            use_global_arguments=False, start_parameter_services=False, enable_rosout=False,
            parameter_overrides=[Parameter('start_type_description_service', value=False)],
        )
        bond = Bond(self._beside, node.resolve_topic_name(TOPIC), name)
        bond.heartbeat_period = HEARTBEAT_PERIOD_S
        bond.heartbeat_timeout = HEARTBEAT_TIMEOUT_S
        bond.start()
        self._bond = bond
        if node.executor is not None:
            node.executor.add_node(self._beside)

    def end(self) -> None:
        """Break the bond, so that a manager knows at once; may be called more than once."""
        bond, self._bond = self._bond, None
        beside, self._beside = self._beside, None
        if bond is not None:
            # bondpy's shutdown destroys its publisher while the message may be on its way.
            bond.break_bond()
            bond.pub.wait_for_all_acked(Duration(seconds=FAREWELL_S))
            bond.shutdown()
        if beside is not None:
            if beside.executor is not None:
                beside.executor.remove_node(beside)
            beside.destroy_node()
