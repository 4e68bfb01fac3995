"""The publishers of one camera: who listens decides what is made."""

from typing import Any

from rclpy.node import Node
from rclpy.qos_overriding_options import QoSOverridingOptions
from seg_ros.ros.outputs import Output, View
from seg_ros.ros.outputs.images import IMAGES
from seg_ros.ros.outputs.vision import VISION
from seg_ros.ros.pixels import Picture, publish_image
from seg_ros.ros.qos import MASKS

OUTPUTS: tuple[Output, ...] = (*IMAGES, *VISION)
_OVERRIDES = QoSOverridingOptions.with_default_policies()


class Publishers:
    """All topics below `~/<camera>/` that carry a frame's masks."""

    def __init__(self, node: Node, camera: str) -> None:
        self._node = node
        self._publishers: list[tuple[Output, Any]] = [
            (
                output,
                node.create_publisher(
                    output.message, f'~/{camera}/{output.topic}', MASKS,
                    qos_overriding_options=_OVERRIDES,
                ),
            )
            for output in OUTPUTS
        ]

    def wanted(self) -> list[tuple[Output, Any]]:
        """Return the outputs that somebody subscribes to, with their publishers."""
        return [row for row in self._publishers if row[1].get_subscription_count()]

    def close(self) -> None:
        """Withdraw the topics."""
        for _, publisher in self._publishers:
            self._node.destroy_publisher(publisher)


def parts_of(wanted: list[tuple[Output, Any]]) -> frozenset[str]:
    """Return the maps that these outputs are made of."""
    return frozenset().union(*(output.parts for output, _ in wanted))


def publish(wanted: list[tuple[Output, Any]], view: View) -> None:
    """Make and send each output."""
    for output, publisher in wanted:
        made = output.make(view)
        if isinstance(made, Picture):
            publish_image(publisher, made)
        elif made is not None:
            publisher.publish(made)
