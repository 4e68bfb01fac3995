"""One camera's input: subscribed to only while somebody reads its masks."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from rclpy.node import SubscriptionEventCallbacks
from rclpy.qos_overriding_options import QoSOverridingOptions, QoSPolicyKind
from rclpy.subscription import Subscription
from seg_ros.core.frame import Frame
from seg_ros.core.settings import Settings
from seg_ros.core.timing import Timing
from seg_ros.image.brightness_range import BrightnessRange
from seg_ros.pipeline.level_hysteresis import LevelHysteresis
from seg_ros.ros.convert import frame_from_compressed, frame_from_image, image_size_hw
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.notice import hears_of_events, Notice
from seg_ros.ros.qos import images, offers_reliable
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

# How often the publishers' reliability is looked at, which takes a good part of a millisecond.
LOOK_S = 1.0
# Reliability is chosen by input_reliability, as publishers come and go.
_OVERRIDES = QoSOverridingOptions((QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH))
# As word of a message does, word of a publisher that does not suit ends a process whose executor
# has it in its queue as the subscription goes; see `Notice.withdraw`. `mismatch` tells of it.
_NO_EVENTS = SubscriptionEventCallbacks(use_default_callbacks=False)


@dataclass(frozen=True)
class Arrival:
    """
    Word of an image.

    :param take: returns the newest message, sensor_msgs Image or CompressedImage; None where it
        went with an earlier word.
    :param arrival_ns: when the word came, of the node's clock.
    """

    take: Callable[[], Any]
    arrival_ns: int


def read_frame(message: Any, brightness: BrightnessRange) -> Frame:
    """
    Read an image.

    :param message: sensor_msgs Image or CompressedImage.
    :param brightness: of its camera.
    :raises ImageError: if the message contradicts itself or its encoding is unknown.
    """
    if isinstance(message, CompressedImage):
        return frame_from_compressed(message, brightness)
    return frame_from_image(message, brightness)


class Camera:
    """
    The image and camera_info subscriptions of one camera.

    :param deliver: called with word of every image that the rate limit lets through.
    """

    def __init__(
        self, node: SafeLifecycleNode, name: str, settings: Settings,
        deliver: Callable[[str, Arrival], None],
    ) -> None:
        self.name = name
        self.timing = Timing()
        self.alarm = LevelHysteresis()
        self.brightness = BrightnessRange(
            settings.brightness_range, lambda words: node.get_logger().info(f'{name}: {words}')
        )
        self._node = node
        self._settings = settings
        self._deliver = deliver
        self._subscriptions: list[Any] = []
        self._notice: Notice | None = None
        self._reliable = False
        self._info: CameraInfo | None = None
        self._due_s = 0.0
        self._looked_s = 0.0
        image = node.resolve_topic_name(f'{name}/image_raw')
        compressed = settings.image_transport == 'compressed'
        self.image_topic = f'{image}/compressed' if compressed else image
        self.info_topic = self._info_topic(image)

    def _info_topic(self, image: str) -> str:
        """Follow the image topic's namespace, unless camera_info is remapped itself."""
        relative = f'{self.name}/camera_info'
        resolved: str = self._node.resolve_topic_name(relative)
        if resolved != self._node.resolve_topic_name(relative, only_expand=True):
            return resolved
        return f'{image.rpartition("/")[0]}/camera_info'

    @property
    def subscribed(self) -> bool:
        """Whether messages are coming in."""
        return bool(self._subscriptions)

    @property
    def age_limit_ms(self) -> float:
        """Age that the user wants no image to exceed; 0 where there is none."""
        return self._settings.max_age_ms

    def change(self, settings: Settings) -> None:
        """Take over what may change while running."""
        self._settings = settings

    def subscribe(self) -> None:
        """Start to listen, and follow the publishers' reliability as they come and go."""
        now_s = monotonic()
        if self.subscribed and now_s < self._looked_s + LOOK_S:
            return
        self._looked_s = now_s
        reliable = self._wants_reliable()
        if self.subscribed and reliable == self._reliable:
            return
        self.unsubscribe()
        self._reliable = reliable
        kind = CompressedImage if self._settings.image_transport == 'compressed' else Image
        self._subscriptions = [
            self._node.create_subscription(
                message, topic, callback, images(wants), qos_overriding_options=_OVERRIDES,
                event_callbacks=_NO_EVENTS,
            )
            for message, topic, callback, wants in (
                (kind, self.image_topic, self._on_image, reliable),
                (CameraInfo, self.info_topic, self._on_info, False),
            )
        ]
        if hears_of_events(self._node):
            self._take_when_wanted(self._subscriptions.pop(0))

    def _take_when_wanted(self, subscription: Subscription) -> None:
        """Leave images where they are until a worker asks for the newest; a notice owns them."""
        self._node.withhold(subscription)
        notice = Notice(subscription, lambda: self._on_word(notice.take))
        self._node.add_waitable(notice)
        self._notice = notice

    def unsubscribe(self) -> None:
        """Stop listening."""
        if self._notice is not None:
            self._notice.withdraw(self._node)
            self._notice = None
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []

    def _wants_reliable(self) -> bool:
        asked = self._settings.input_reliability
        if asked == 'auto':
            return offers_reliable(self._node, self.image_topic)
        return asked == 'reliable'

    def mismatch(self) -> str:
        """Say so when no image can come since publishers do not offer what is asked of them."""
        topic = self.image_topic
        if not self.subscribed or self._settings.input_reliability != 'reliable':
            return ''
        if not self._node.count_publishers(topic) or offers_reliable(self._node, topic):
            return ''
        return (
            f'{topic} has a publisher without reliable delivery, which input_reliability asks '
            'for: set it to auto or best_effort'
        )

    def _on_image(self, message: Any) -> None:
        self._on_word(lambda: message)

    def _on_word(self, take: Callable[[], Any]) -> None:
        self.timing.tick('input')
        limit_hz = self._settings.max_rate_hz
        if limit_hz:
            now_s = monotonic()
            if now_s < self._due_s:
                self.timing.count('rate')
                return
            # Half a period of jitter is forgiven, or a camera at the very rate would lose frames.
            self._due_s = max(self._due_s + 1 / limit_hz, now_s + 0.5 / limit_hz)
        self._deliver(self.name, Arrival(take, self._node.get_clock().now().nanoseconds))

    def _on_info(self, message: CameraInfo) -> None:
        self.timing.tick('info')
        self._info = message

    def info_for(self, frame: Frame) -> CameraInfo | None:
        """Return the latest camera_info, if it is of this frame id and size."""
        info = self._info
        if info is None or info.header.frame_id != frame.frame_id:
            return None
        return info if image_size_hw(info) == frame.size_hw else None
