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

"""Spin a node until a signal."""

import signal
from threading import Event

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import uninstall_signal_handlers

WAKE_S = 0.2    # period of checking for a signal


def spin_until_signal(node: Node) -> None:
    """
    Spin a node until SIGINT or SIGTERM, then destroy it and shut ROS down.

    rclpy's own handlers would invalidate the context while a callback or the executor uses it.
    """
    ended = Event()
    uninstall_signal_handlers()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        while not ended.is_set():
            executor.spin_once(timeout_sec=WAKE_S)
    finally:
        node.destroy_node()
        executor.shutdown()
        rclpy.try_shutdown()
