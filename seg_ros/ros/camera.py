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

"""One camera: its subscriptions and publishers, and the state of its image stream."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seg_ros.core.errors import SettingError
from seg_ros.core.frame import Frame
from seg_ros.core.settings import LiveSettings, Settings
from seg_ros.image.brightness_range import BrightnessRange
from seg_ros.pipeline.camera_health import CameraHealth
from seg_ros.pipeline.level_hysteresis import LevelHysteresis
from seg_ros.ros.camera_info import fitted_camera_info
from seg_ros.ros.camera_topics import image_names, info_names
from seg_ros.ros.conversions import stamp_ns
from seg_ros.ros.depth_input import DepthInput, DepthJob
from seg_ros.ros.dynamic_mask import DynamicMask
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.outputs import OUTPUTS
from seg_ros.ros.prompts_input import PromptsInput
from seg_ros.ros.publishers import Publishers
from seg_ros.ros.qos import wants_reliable
from seg_ros.ros.subscription import Subscription
from seg_ros.ros.topic_advice import (
    COMPRESSED,
    images_lost,
    INFO_INPUT,
    INFO_TYPE,
    RAW,
    several_publishers,
    why_nothing_arrives,
)
from seg_ros.temporal.arrival import CameraClock, ImageOrder, RateLimit, StampWatch
from seg_ros.temporal.temporal_filter import TemporalFilter
from sensor_msgs.msg import CameraInfo, CompressedImage, Image


@dataclass(frozen=True, eq=False)
class Arrival:
    """
    A received image message.

    :param message: sensor_msgs Image or CompressedImage.
    :param number: sequence number of the message, in order of arrival.
    :param taken_ns: when the image was taken, by the node's clock.
    """

    message: Any
    number: int
    taken_ns: int


class Camera:
    """
    The topics and the state of one camera.

    :param deliver: called with every image that is not dropped on arrival.
    :param deliver_depth: called with every view once its depth has arrived.
    """

    def __init__(
        self, node: SafeLifecycleNode, name: str, settings: LiveSettings,
        deliver: Callable[['Camera', Arrival], None],
        deliver_depth: Callable[[DepthJob], None],
    ) -> None:
        self.name = name
        self.health, self.hysteresis = CameraHealth(), LevelHysteresis()
        self.brightness = BrightnessRange(
            settings.now.brightness_range, lambda words: node.get_logger().info(f'{name}: {words}')
        )
        self.temporal, self.order = TemporalFilter(), ImageOrder()
        self.clock, self._rate, self._stamps = CameraClock(), RateLimit(), StampWatch()
        self.publishers = Publishers(node, name, OUTPUTS)
        self.depth = DepthInput(
            node, name, settings, self.health, deliver_depth, self.why_no_info
        )
        self.dynamic = DynamicMask(settings)
        self.prompts = PromptsInput(node, name, settings, self.temporal.prompts)
        self._node = node
        self._settings = settings
        self._deliver = deliver
        self.deferred_replaced = 0  # frames whose deferred outputs were left out for a newer one's
        self._image_bytes = 0
        self._info: CameraInfo | None = None
        self.open_error = self._info_problem = ''
        self._compressed = settings.now.image_transport == 'compressed'
        # Names to pass to rclpy, which applies remappings, and the resolved topics.
        self._image_name, self.image_topic = image_names(node, name, self._compressed)
        _, self.info_topic = self._info_names()
        kind = CompressedImage if self._compressed else Image
        self._images = Subscription(
            node, kind, self._on_image, f'{name}, _on_image', overridable=True
        )
        self._infos = Subscription(
            node, CameraInfo, self._on_info, f'{name}, _on_info', overridable=True
        )

    def _info_names(self, previous: str = '') -> tuple[str, str]:
        raw = self.image_topic.removesuffix('/compressed' if self._compressed else '')
        return info_names(self._node, self.name, raw, previous)

    @property
    def kind(self) -> str:
        """Return the message type of the image subscription."""
        return COMPRESSED if self._compressed else RAW

    @property
    def subscribed(self) -> bool:
        """Whether the camera is subscribed to."""
        return self._images.active

    @property
    def settings(self) -> Settings:
        """Return the current settings."""
        return self._settings.now

    def subscribe(self) -> None:
        """Subscribe, or adapt the subscriptions to the present subscribers, publishers and QoS."""
        wanted = self.publishers.wanted()
        self.dynamic.follow(any(each.output.needs_dynamic for each in wanted))
        self.depth.subscribe(wanted)
        if not self._images.due:
            return
        if words := several_publishers(self._node, self.image_topic, self.kind):
            key = self.name, words
            self._node.throttled.warning(f'{self.name}: {words}', key, throttle_s=3600.0)
        try:
            self._listen()
        except SettingError as error:
            self._release_images()
            self.open_error = str(error)
            key = self.name, 'qos'
            self._node.throttled.error(f'{self.name}: {error}', key, throttle_s=60.0)

    def _listen(self) -> None:
        asked = self._settings.now.input_reliability
        reliable = wants_reliable(self._node, self.image_topic, asked)
        info_name, self.info_topic = self._info_names(self.info_topic)
        changed = self._images.listen(self._image_name, reliable)
        if not self._infos.listen(info_name, False) and not changed:
            return
        self.open_error = ''
        self._node.get_logger().info(
            f'{self.name}: listening to {self.image_topic} ({self.kind}'
            f'{", reliable" if reliable else ""}) and {self.info_topic}'
        )

    def unsubscribe(self) -> None:
        """Unsubscribe."""
        self.dynamic.follow(False)
        self.depth.unsubscribe()
        self._release_images()

    def reset(self) -> None:
        """Reset the state kept between images; no image may be in flight."""
        self.temporal.reset()
        self.dynamic.reset()

    def _release_images(self) -> None:
        self._images.close()
        self._infos.close()

    def close(self) -> None:
        """Close all topics."""
        self.unsubscribe()
        self.prompts.unsubscribe()
        self.publishers.close()

    def problem(self) -> str:
        """
        Return what is wrong with the camera's topics; empty if all is well.

        Images or camera_info are missing, stamps are wrong, or a subscriber gets nothing.
        """
        if not self.subscribed:
            return self.publishers.subscriber_problem()
        if self._images.starting:
            return ''
        timing, reliable = self.health.timing, self._images.reliable
        if timing.silent('input'):
            return why_nothing_arrives(
                self._node, self.image_topic, self.kind, reliable, timing.since_s('input')
            )
        lost = '' if reliable else images_lost(self.image_topic, timing, self._image_bytes)
        return (
            self._stamps.problem or lost or self._missing_info()
            or self.publishers.subscriber_problem()
        )

    def _missing_info(self) -> str:
        """Return why no camera_info is published with the masks, if something subscribes to it."""
        if not any(each.output.message is CameraInfo for each in self.publishers.wanted()):
            return ''
        words = self.why_no_info()
        return f'no camera_info is published with the masks: {words}' if words else ''

    def why_no_info(self) -> str:
        """Return why images have no camera_info; empty if they have, or it is too early to say."""
        if not self.subscribed or self._images.starting:
            return ''
        if self._info is not None:      # the last one is used, however old
            return self._info_problem
        return why_nothing_arrives(
            self._node, self.info_topic, INFO_TYPE, False, self.health.timing.since_s('info'),
            INFO_INPUT,
        )

    def _on_image(self, message: Any) -> None:
        """Pass an image message on to the workers, which convert it."""
        self.health.timing.tick('input')
        self._image_bytes = len(message.data)
        now_ns = self._node.get_clock().now().nanoseconds
        stamped_ns = stamp_ns(message.header.stamp)
        self._stamps.observe(stamped_ns)
        if stamped_ns and self.clock.observe(stamped_ns, now_ns):
            self._report_clock()
        number = self.order.next_number(stamped_ns)
        if number is None:
            self.health.drop('late')
        elif not self._rate.admit(now_ns / 1e9, self._settings.now.max_rate_hz):
            self.health.drop('rate')
        else:
            # An image without a stamp counts as taken when its message arrived.
            taken_ns = stamped_ns + self.clock.offset_ns if stamped_ns else now_ns
            self._deliver(self, Arrival(message, number, taken_ns))

    def _report_clock(self) -> None:
        if self.clock.foreign:
            offset_s = self.clock.offset_ns / 1e9
            side = 'behind' if offset_s > 0 else 'ahead of'
            self._node.get_logger().warning(
                f'{self.name}: stamps come from another clock, {abs(offset_s):.1f} s {side} this '
                'one; ages are corrected by this offset. Check use_sim_time and the clocks of '
                'both machines'
            )
        else:
            self._node.get_logger().info(f'{self.name}: stamps come from this clock again')

    def _on_info(self, message: CameraInfo) -> None:
        self.health.timing.tick('info')
        self._info = message

    def info_for(self, frame: Frame) -> CameraInfo | None:
        """Return the latest camera_info adapted to an image; None if it cannot be."""
        if self._info is None:
            return None
        fitted, self._info_problem = fitted_camera_info(self._info, frame.frame_id, frame.size_hw)
        return fitted
