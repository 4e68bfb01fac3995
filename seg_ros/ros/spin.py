"""How a node of its own process spins: what executes its callbacks, and until when."""

from typing import Any

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

# For what has to go on while simulated time stands still, or has not begun.
STEADY = Clock(clock_type=ClockType.STEADY_TIME)


def open_executor(context: 'rclpy.Context | None' = None) -> Any:
    """
    Return what executes callbacks at the least cost, one after the other.

    Jazzy's newer releases and Kilted have an executor that is told of events. The older one asks
    all entities at each turn, which is most of what an idle node does.
    """
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor(context=context)
    return EventsExecutor(context=context)


def spin_until_signal(node: Node) -> None:
    """Let a node work until SIGINT or SIGTERM, then destroy it and leave ROS."""
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
