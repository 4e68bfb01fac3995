"""A node of its own process, from its first turn until a signal ends it."""

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node


def spin_until_signal(node: Node) -> None:
    """Let a node work until SIGINT or SIGTERM, then destroy it and leave ROS."""
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
