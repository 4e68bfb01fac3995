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

"""Subscribe to the depth of one camera, and pair depth with images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ImageError
from seg_ros.core.frame import Frame
from seg_ros.core.settings import LiveSettings
from seg_ros.core.shown import shown
from seg_ros.depth.registration import registered_depth, RegisteredDepth
from seg_ros.pipeline.camera_health import CameraHealth
from seg_ros.ros.base_frame import TransformOf
from seg_ros.ros.camera_info import intrinsics_from_info, same_frame
from seg_ros.ros.conversions import depth_from_image, stamp_ns
from seg_ros.ros.depth_advice import why_unpaired
from seg_ros.ros.depth_view import DepthView
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.publishers import OutputPublisher, View
from seg_ros.ros.qos import wants_reliable
from seg_ros.ros.subscription import Subscription
from seg_ros.ros.topic_advice import DEPTH_INPUT, RAW, why_nothing_arrives
from seg_ros.temporal.stamp_matching import NearestStamp
from sensor_msgs.msg import Image
from std_msgs.msg import Header

_Offered: TypeAlias = tuple[Sequence[OutputPublisher], View]


@dataclass(frozen=True, eq=False)
class DepthJob:
    """
    A view and the depth message that belongs to it.

    :param wanted: outputs to compute from both.
    :param message: sensor_msgs Image.
    """

    source: 'DepthInput'
    wanted: Sequence[OutputPublisher]
    view: View
    message: Any


class DepthInput:
    """
    Pairs depth images with the masks of their images; 2D masks do not wait for depth.

    :param deliver: called with each pair, in the order of the camera's images, by the thread that
        added its image or its depth.
    :param why_no_info: returns why images have no camera_info; empty if they have.
    """

    def __init__(
        self, node: SafeLifecycleNode, camera: str, settings: LiveSettings, health: CameraHealth,
        deliver: Callable[[DepthJob], None], why_no_info: Callable[[], str] = lambda: '',
    ) -> None:
        self._node, self._settings, self._health = node, settings, health
        self._deliver, self._why_no_info = deliver, why_no_info
        self.camera = camera
        self._name = f'{camera}/depth_registered/image_rect'
        self.topic: str = node.resolve_topic_name(self._name)
        self._subscription = Subscription(node, Image, self._on_depth)
        self._pairs: NearestStamp[_Offered, Any] = NearestStamp()
        self._turn = Lock()     # held while pairing and delivering, so that pairs keep their order
        self._last: tuple[Any, RegisteredDepth] | None = None   # message and its depth
        self._refused, self._lacks_info = '', False
        self._is_off = False    # although an output that needs depth has a subscriber
        self.why_empty = ''     # set by `DepthOutputs` for the last view
        self.replaced = 0       # pairs whose outputs were not computed, as a newer one came

    @property
    def starting(self) -> bool:
        """Whether the subscription is too new for missing messages to be a problem."""
        return self._subscription.starting

    def subscribe(self, wanted: Sequence[OutputPublisher]) -> None:
        """Subscribe while an output that uses depth has a subscriber; call it regularly."""
        is_on = self._settings.now.depth == 'auto'
        self._pairs.expire()
        # Dynamic outputs work without depth; with it, pixels are cleared once an object has left.
        asked = is_on and any(each.output.needs for each in wanted)
        self._is_off = not is_on and any(each.output.needs_depth for each in wanted)
        if not asked:
            self.unsubscribe()
        elif self._subscription.due:
            reliability = self._settings.now.input_reliability
            reliable = wants_reliable(self._node, self.topic, reliability)
            self._subscription.listen(self._name, reliable)

    def unsubscribe(self) -> None:
        """Unsubscribe, and drop what has arrived."""
        self._subscription.close()
        with self._turn:    # not while a pair is being delivered
            self._pairs.clear()
        self._last = None
        self._refused = self.why_empty = ''

    def offer(self, wanted: Sequence[OutputPublisher], view: View) -> None:
        """Deliver a view for the outputs that need depth, now or when its depth arrives."""
        stamp, tolerance_ms = stamp_ns(view.header.stamp), self._settings.now.depth_tolerance_ms
        with self._turn:
            if self._subscription.active:
                self._hand_on(self._pairs.add_image(
                    stamp, (wanted, view), tolerance_ms, view.nbytes
                ))

    def _on_depth(self, message: Image) -> None:
        self._health.timing.tick('depth')
        stamp, tolerance_ms = stamp_ns(message.header.stamp), self._settings.now.depth_tolerance_ms
        with self._turn:
            self._hand_on(self._pairs.add_depth(
                stamp, message, tolerance_ms, len(message.data)
            ))

    def _hand_on(self, pair: tuple[_Offered, Any] | None) -> None:
        if pair:
            (wanted, view), message = pair
            self._deliver(DepthJob(self, wanted, view, message))

    def depth_view(self, view: View, message: Any, transform_of: TransformOf) -> DepthView:
        """
        Return a view with its depth.

        :raises ImageError: if either cannot be used; `problem` then returns the reason.
        """
        self._lacks_info = view.camera_info is None
        try:
            if view.camera_info is None:
                raise ImageError(
                    "no camera_info with the image's frame id and size",
                    'one, to compute 3D points', 'remap camera_info to that of the colour image',
                )
            camera = intrinsics_from_info(view.camera_info)
            depth = self._registered(view.frame, view.header, message)
        except ImageError as error:
            self._refused = str(error)
            raise
        self._refused = ''
        return DepthView(view, depth, camera, self._settings.now, transform_of)

    def _registered(self, frame: Frame, header: Header, message: Any) -> RegisteredDepth:
        """Register depth to an image, once for the dynamic mask and the 3D outputs."""
        theirs, ours = message.header.frame_id, header.frame_id
        if not same_frame(theirs, ours):
            raise ImageError(
                f'depth in the frame {shown(theirs)} for an image in {shown(ours)}',
                'the same frame',
                f'remap {self._name} to depth that is registered (aligned) to the colour image',
            )
        size_hw, max_m = frame.size_hw, self._settings.now.max_depth_m
        last = self._last       # which another thread may replace
        if last and last[0] is message and (last[1].raw.shape, last[1].max_m) == (size_hw, max_m):
            return last[1]
        depth = registered_depth(depth_from_image(message), size_hw, max_m)
        self._last = message, depth
        return depth

    def arrived_metres(self, frame: Frame, header: Header) -> NDArray[np.float32] | None:
        """
        Return the depth of an image, float32 (H, W), NaN = none; None if it has not arrived.

        Call it in the order of stamps: earlier depth is dropped.
        """
        tolerance_ms = self._settings.now.depth_tolerance_ms
        message = self._pairs.nearest(stamp_ns(header.stamp), tolerance_ms)
        if message is None:
            return None
        try:
            return self._registered(frame, header, message).metres
        except ImageError:      # reported by `depth_view`
            return None

    def problem(self) -> str:
        """Return why depth does not arrive or is not used; empty if all is well."""
        if not self._subscription.active:
            words = 'outputs that need depth have subscribers, but the parameter depth is off'
            return words if self._is_off else ''
        if silence := self._silence():
            return silence
        if self._refused:
            words = self._why_no_info() if self._lacks_info else ''
            return f'no 3D points: {words}' if words else self._refused
        offset_ms = self._pairs.offset_ms
        if offset_ms is None:
            return self.why_empty
        return why_unpaired(offset_ms, self._settings.now.depth_tolerance_ms)

    def absence(self) -> str:
        """Return why no depth arrives; empty if it does, is not needed, or may still arrive."""
        return '' if not self._subscription.active or self.starting else self._silence()

    def _silence(self) -> str:
        timing = self._health.timing
        if not timing.silent('depth'):
            return ''
        return 'no depth arrives: ' + why_nothing_arrives(
            self._node, self.topic, RAW, self._subscription.reliable, timing.since_s('depth'),
            DEPTH_INPUT,
        )

    def values(self) -> dict[str, str]:
        """Return values for the diagnostics."""
        return {
            'depth_topic': self.topic if self._subscription.active else '',
            'depth_hz': f'{self._health.timing.rate_hz("depth"):.2f}',
            'images_without_depth': str(self._pairs.unpaired),
            'depth_dropped_newer': str(self.replaced),
        }
