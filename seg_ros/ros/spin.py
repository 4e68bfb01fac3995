"""Spinning until a signal comes, on rclpy's own executor."""

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

# For what has to go on while simulated time stands still, or has not begun.
STEADY = Clock(clock_type=ClockType.STEADY_TIME)


def spin_until_signal(node: Node) -> None:
    """Let a node work until SIGINT or SIGTERM, then destroy it and leave ROS."""
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
