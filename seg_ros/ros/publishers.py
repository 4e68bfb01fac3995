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

"""The publishers of one camera; only outputs with subscribers are computed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSPolicyKind
from rclpy.qos_overriding_options import QoSOverridingOptions
from seg_ros.core.card import ModelCard
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.segmentation import Part, Segmentation
from seg_ros.masks.overlay import color_map, draw_overlay
from seg_ros.ros.conversions import image_message
from seg_ros.ros.qos import mask_qos, qos_override_errors
from seg_ros.ros.topic_advice import incompatible_subscriber
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

try:
    from rclpy.event_handler import PublisherEventCallbacks
except ImportError:     # Humble
    from rclpy.qos_event import PublisherEventCallbacks

# The executor would check the events of each publisher in every spin: with a hundred topics that
# takes more CPU time than counting their subscribers five times a second.
_NO_EVENTS = PublisherEventCallbacks(use_default_callbacks=False)
_OVERRIDES = QoSOverridingOptions((
    QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY,
    QoSPolicyKind.DURABILITY,
))

# Values of `Output.parts` and of `Output.needs`.
CLASSES: frozenset[Part] = frozenset({'classes'})
INSTANCES: frozenset[Part] = frozenset({'instances'})
MAPS = CLASSES | INSTANCES
DEPTH, DYNAMIC = frozenset({'depth'}), frozenset({'dynamic'})


@dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """
    One frame and its masks, as outputs see them.

    :param header: the image message's header, which is that of every output.
    :param camera_info: camera_info with the image's frame id and size; None if there is none.
    :param step: every `step`-th pixel of both rows and columns is published.
    :param alpha: opacity of the overlay's colours, 0 to 1.
    :param rectified: whether the image is rectified.
    :param dynamic: pixels that are or recently were dynamic, bool (H, W), at the image's own size;
        None if no output needs them.
    """

    frame: Frame
    segmentation: Segmentation
    card: ModelCard
    header: Header
    camera_info: CameraInfo | None
    step: int
    alpha: float
    rectified: bool
    dynamic: NDArray[np.bool_] | None = None

    @property
    def nbytes(self) -> int:
        """Size of the image and of all arrays computed from it so far."""
        parts = (self.frame, self.segmentation, self)
        arrays = [value for part in parts for value in vars(part).values()]
        return sum(value.nbytes for value in arrays if isinstance(value, np.ndarray))

    def scaled(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return every `step`-th pixel of both rows and columns."""
        return array[::self.step, ::self.step]

    @property
    def semantic(self) -> NDArray[Any]:
        """Card ids, uint8 or uint16 (h, w)."""
        return self.scaled(self.segmentation.part('classes'))

    @property
    def confidence(self) -> NDArray[Any]:
        """Probability of the class, uint8 (h, w)."""
        return self.scaled(self.segmentation.part('confidence'))

    @property
    def instance(self) -> NDArray[Any]:
        """Segment ids, uint16 (h, w), 0 = none."""
        return self.scaled(self.segmentation.part('instances'))

    @property
    def panoptic(self) -> NDArray[Any]:
        """Class << 16 | instance, int32 (h, w)."""
        return self.scaled(self.segmentation.panoptic())

    @cached_property
    def color(self) -> Pixels:
        """Class colours, rgb (h, w, 3)."""
        return color_map(np.ascontiguousarray(self.semantic), self.card)

    @cached_property
    def overlay(self) -> Pixels:
        """Class colours, outlines, names and ids over the image, rgb (h, w, 3)."""
        drawn = draw_overlay(self.frame, self.segmentation, self.card, self.alpha)
        return self.scaled(drawn)


@dataclass(frozen=True)
class Output:
    """
    One topic.

    :param topic: name below `~/<camera>/`.
    :param message: message type.
    :param parts: parts of the segmentation that `make` reads: maps, and `segments` for the table
        without its map.
    :param make: called with the `View`, or with the `DepthView` if `needs` contains `depth`.
        Returns the message, an array to be published as an Image, or None to publish nothing for
        this frame.
    :param needs: inputs other than the masks: `depth`, and `dynamic` for the dynamic mask.
    :param deferred: whether the masks of the next image do not wait for it: for what takes long
        to make or to publish. Where time is short, it is left out for a newer frame's. Outputs
        that need depth are always made like this, and are not marked.
    """

    topic: str
    message: Any
    parts: frozenset[Part]
    make: Callable[[Any], Any]
    needs: frozenset[str] = frozenset()
    deferred: bool = False

    @property
    def in_background(self) -> bool:
        """Whether masks do not wait for it."""
        return self.deferred or self.needs_depth

    @property
    def needs_depth(self) -> bool:
        """Whether `make` is called with a `DepthView`."""
        return 'depth' in self.needs

    @property
    def needs_dynamic(self) -> bool:
        """Whether `make` reads the dynamic mask."""
        return 'dynamic' in self.needs


@dataclass(frozen=True, eq=False)
class OutputPublisher:
    """
    An output and the publisher of its topic.

    :param publisher: a lifecycle publisher of rclpy.
    """

    output: Output
    publisher: Any

    @property
    def has_subscribers(self) -> bool:
        """Whether anybody subscribes to the topic."""
        return bool(self.publisher.get_subscription_count())

    def message(self, view: Any) -> Any:
        """
        Make the message of a frame; None to publish nothing.

        :param view: a `View`, or a `DepthView` if the output needs depth.
        """
        made = self.output.make(view)
        return image_message(made, view.header) if isinstance(made, np.ndarray) else made

    def publish(self, view: Any) -> None:
        """Make and publish the message of a frame; see `message`."""
        message = self.message(view)
        if message is not None:
            self.publisher.publish(message)


class Publishers:
    """
    All topics below `~/<camera>/` that carry a frame's masks; only an active node publishes them.

    :raises SettingError: if the topics' qos_overrides are invalid.
    """

    def __init__(self, node: LifecycleNode, camera: str, outputs: Iterable[Output]) -> None:
        self._node = node
        self._publishers: list[OutputPublisher] = []
        try:
            for output in outputs:
                topic = f'~/{camera}/{output.topic}'
                with qos_override_errors(topic):
                    publisher = node.create_lifecycle_publisher(
                        output.message, topic, mask_qos(),
                        event_callbacks=_NO_EVENTS,
                        qos_overriding_options=_OVERRIDES,
                    )
                self._publishers.append(OutputPublisher(output, publisher))
        except BaseException:
            self.close()
            raise

    def wanted(self) -> list[OutputPublisher]:
        """Return the outputs that have subscribers."""
        return [each for each in self._publishers if each.has_subscribers]

    def subscriber_problem(self) -> str:
        """Return which subscriber gets nothing because of its type or QoS, and why."""
        return incompatible_subscriber(self._node, [each.publisher for each in self._publishers])

    def close(self) -> None:
        """Close the topics."""
        for each in self._publishers:
            self._node.destroy_lifecycle_publisher(each.publisher)
        self._publishers = []


def parts_of(wanted: Iterable[OutputPublisher]) -> frozenset[Part]:
    """Return the parts of the segmentation that these outputs read."""
    return frozenset().union(*(each.output.parts for each in wanted))
