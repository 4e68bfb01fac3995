"""A topic of images of which nothing is taken by itself."""

from time import monotonic
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from seg_ros.ros.pixels import take_newest

PATIENCE_S = 10


class Line:
    """A publisher and two subscriptions."""

    def __init__(self, kind: Any, depth: int = 1) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = Node('line', context=self.context)
        qos = QoSProfile(depth=depth)
        self.subscriptions = [
            self.node.create_subscription(kind, 'line', lambda _: None, qos) for _ in range(2)
        ]
        self.publisher = self.node.create_publisher(kind, 'line', qos)
        self.kind = kind
        until(lambda: self.publisher.get_subscription_count() == 2)

    def taken(self) -> Any:
        """Take as seg_ros does."""
        return until(lambda: take_newest(self.subscriptions[0]))

    def taken_by_rclpy(self) -> Any:
        def take() -> Any:
            handle = self.subscriptions[1].handle
            with handle:
                return handle.take_message(self.kind, False)

        return until(take)[0]

    def close(self) -> None:
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


def until(condition: Any) -> Any:
    end = monotonic() + PATIENCE_S
    while not (found := condition()):
        assert monotonic() < end
    return found
