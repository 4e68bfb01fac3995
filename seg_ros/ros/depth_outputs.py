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

"""Makes and publishes the outputs that need depth."""

from collections.abc import Collection
from functools import partial

from seg_ros.core.errors import ImageError
from seg_ros.core.shown import shown
from seg_ros.depth.ground import base_from_plane
from seg_ros.ros.background import Background
from seg_ros.ros.base_frame import BaseFrame
from seg_ros.ros.depth_advice import why_distorted, why_empty
from seg_ros.ros.depth_input import DepthJob
from seg_ros.ros.depth_view import DepthView
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.outputs.navigation import scan_frame

TARGET = frozenset({'target/mask', 'target/points', 'scene/depth', 'grasp_poses'})


class DepthOutputs:
    """
    Makes the depth outputs of all cameras in the background.

    :param base_frame: the frame that `free_space` is published in.
    """

    def __init__(
        self, node: SafeLifecycleNode, base_frame: str, background: Background
    ) -> None:
        self._node = node
        self._base_frame = base_frame
        self._background = background
        self._base: BaseFrame | None = None

    def close(self) -> None:
        """Unsubscribe from /tf; no frame may be in flight."""
        if self._base is not None:
            self._base.close()
        self._base = None

    def deliver(self, job: DepthJob) -> None:
        """Queue a frame; any thread may call it."""
        if self._background.put(f'{job.source.camera}: depth', partial(self._publish, job)):
            job.source.replaced += 1

    def _publish(self, job: DepthJob) -> None:
        camera, base = job.source.camera, self._base
        if base is None:    # created late, as it subscribes to /tf
            base = self._base = BaseFrame(self._node, self._base_frame)
        try:
            view = job.source.depth_view(job.view, job.message, base.transform_of)
        except ImageError as error:
            if not (job.source.starting and job.view.camera_info is None):
                self._node.throttled.warning(f'{camera}: no depth: {error}', (camera, 'depth'))
            return
        self._check(camera, job, view, base)
        self._background.publish(job.wanted, view)

    def _check(self, camera: str, job: DepthJob, view: DepthView, base: BaseFrame) -> None:
        """Broadcast the frame of `scan`, and warn of outputs that will be empty or wrong."""
        topics = {each.output.topic for each in job.wanted}
        if 'scan' in topics and view.ground_plane is not None:
            frame = view.header.frame_id
            base.broadcast(view.header, scan_frame(frame), base_from_plane(view.ground_plane))
        if words := why_distorted(view):
            self._node.throttled.warning(f'{camera}: {words}', (camera, 'lens'))
        job.source.why_empty = why_empty(view, topics, base.missing)
        if job.source.why_empty:
            self._node.throttled.warning(f'{camera}: {job.source.why_empty}', (camera, 'empty'))
        elif not base.installed:
            self._warn_of_no_tf(camera, topics, base.missing)
        if view.settings.target and view.target is None and TARGET & topics:
            self._node.throttled.warning(
                f'{camera}: the target {shown(view.settings.target)} is not in sight: its mask is '
                'empty', (camera, 'target'),
            )

    def _warn_of_no_tf(self, camera: str, topics: Collection[str], reason: str) -> None:
        effects = {
            'free_space': 'the base counts as below the camera',
            'scan': 'nobody broadcasts the frame of scan',
        }
        found = [effect for topic, effect in effects.items() if topic in topics]
        if found:
            self._node.throttled.warning(
                f'{camera}: {reason}; {", and ".join(found)}', (camera, 'tf'), throttle_s=60.0
            )
