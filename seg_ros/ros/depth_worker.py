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

"""The thread that computes and publishes the outputs that need depth."""

from collections.abc import Collection

from seg_ros.core.errors import ImageError
from seg_ros.core.shown import shown
from seg_ros.depth.ground import base_from_plane
from seg_ros.pipeline.workers import Mailbox, Workers
from seg_ros.ros.base_frame import BaseFrame
from seg_ros.ros.depth_advice import why_distorted, why_empty
from seg_ros.ros.depth_input import DepthJob
from seg_ros.ros.depth_view import DepthView
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.outputs.navigation import scan_frame

TARGET = frozenset({'target/mask', 'target/points', 'scene/depth', 'grasp_poses'})
_NICENESS = 10      # 2D masks have priority where cores are short


class DepthWorker:
    """
    A thread for the depth outputs of all cameras; the newest frame of each wins.

    :param base_frame: the frame that `free_space` is published in.
    """

    def __init__(self, node: SafeLifecycleNode, base_frame: str) -> None:
        self._node = node
        self._base_frame = base_frame
        self._base: BaseFrame | None = None
        self._mailbox: Mailbox[DepthJob] | None = None
        self._workers: Workers[DepthJob] | None = None

    def start(self) -> None:
        """Start the thread."""
        self._mailbox = Mailbox()
        self._workers = Workers(
            self._mailbox, self._work, self._report, niceness=_NICENESS
        )

    def stop(self, timeout_s: float) -> bool:
        """Finish the frame in flight; return whether the thread ended in time."""
        ended = self._workers is None or self._workers.stop(timeout_s)
        self._workers = self._mailbox = None
        if self._base is not None:
            self._base.close()
        self._base = None
        return ended

    def deliver(self, job: DepthJob) -> None:
        """Put a frame into the mailbox; any thread may call it."""
        mailbox = self._mailbox     # `stop` may set it to None meanwhile
        if mailbox is not None and mailbox.put(job.source.camera, job):
            job.source.replaced += 1

    def _work(self, items: list[tuple[str, DepthJob]]) -> None:
        for camera, job in items:
            base = self._base
            if base is None:    # created late, as it subscribes to /tf
                base = self._base = BaseFrame(self._node, self._base_frame)
            try:
                view = job.source.depth_view(job.view, job.message, base.transform_of)
            except ImageError as error:
                if not (job.source.starting and job.view.camera_info is None):
                    self._node.throttled.warning(f'{camera}: no depth: {error}', (camera, 'depth'))
                continue
            self._check(camera, job, view, base)
            for each in job.wanted:
                each.publish(view)

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

    def _report(self, error: Exception) -> None:
        self._node.fault('depth of a frame was dropped', error)
