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

"""The cameras of a configured node and the workers that segment their images."""

from seg_ros.core.errors import SegError
from seg_ros.core.settings import LiveSettings
from seg_ros.pipeline.engine_holder import EngineHolder
from seg_ros.pipeline.workers import Mailbox, Workers
from seg_ros.ros.background import Background
from seg_ros.ros.camera import Arrival, Camera
from seg_ros.ros.depth_outputs import DepthOutputs
from seg_ros.ros.frame_path import FramePath
from seg_ros.ros.lifecycle import SafeLifecycleNode, STEADY

SUBSCRIBERS_S = 0.2     # between two queries of the subscribers
TIMEOUT_S = 1.5    # for frames in flight to finish


class CameraPipeline:
    """
    Cameras, mailbox and workers of a configured node.

    Workers run `FramePath.work`; all else runs in the executor's thread, so that no worker, unless
    it was abandoned, sees cameras being created or closed.

    :param holder: holds the current model, which is swapped between two frames.
    """

    def __init__(
        self,
        node: SafeLifecycleNode,
        settings: LiveSettings,
        holder: EngineHolder,
    ) -> None:
        self._node = node
        self._settings = settings
        self._holder = holder
        self._mailbox: Mailbox[Arrival] | None = None
        self._workers: Workers[Arrival] | None = None
        self._path: FramePath | None = None     # of the current workers
        self._background = Background(node, self._wait_idle)
        self._depth = DepthOutputs(node, settings.now.base_frame, self._background)
        self._timer = node.create_timer(
            SUBSCRIBERS_S, node.guarded(self.follow_subscribers), clock=STEADY
        )
        self.cameras: dict[str, Camera] = {}
        try:
            for name in settings.now.cameras:
                self.cameras[name] = Camera(
                    node, name, settings, self._deliver, self._depth.deliver
                )
        except BaseException:
            self.close()
            raise

    @property
    def running(self) -> bool:
        """Whether the workers are running."""
        return self._workers is not None

    @property
    def stalled_s(self) -> float:
        """Seconds for which the engine has not answered if more than `watchdog_s`, else 0."""
        longest_s = max(self._workers.busy_s(), default=0.0) if self._workers else 0.0
        limit_s = self._settings.now.watchdog_s
        return longest_s if limit_s and longest_s > limit_s else 0.0

    @property
    def overdue(self) -> str:
        """Which output has not been made for more than `watchdog_s`, as text; empty if none."""
        return self._background.overdue(self._settings.now.watchdog_s)

    def start(self) -> None:
        """
        Start the workers and subscribe to the cameras.

        If that fails, nothing is left running.
        """
        count = self._settings.now.workers
        try:
            self._background.start()
            self._mailbox = Mailbox()
            self._path = FramePath(
                self._node, self._settings, self._holder, self.cameras, self._background
            )
            self._workers = Workers(
                self._mailbox, self._path.work, self._path.report, count, self._batch_limit
            )
            self.follow_subscribers()
            self._announce_idle_cameras()
        except BaseException:
            self.stop()
            raise

    def _wait_idle(self, until_s: float) -> None:
        """Wait until no worker has frames, up to a time of the monotonic clock."""
        workers = self._workers     # `stop` may set it to None meanwhile
        if workers is not None:
            workers.wait_idle(until_s)

    def _batch_limit(self) -> int:
        """Return how many cameras' frames the current engine may process in one call."""
        serving = self._holder.current
        return min(self._settings.now.max_batch, serving.batch_limit) if serving else 1

    def stop(self) -> None:
        """Unsubscribe and wait for the frames in flight; those that hang are abandoned."""
        for camera in self.cameras.values():
            camera.unsubscribe()
            camera.prompts.unsubscribe()
        ended = self._workers is None or self._workers.stop(TIMEOUT_S)
        if not ended:
            self._node.get_logger().error(
                f'a frame in flight did not finish within {TIMEOUT_S:g} s; its engine is abandoned'
            )
        else:       # a worker that hangs may still use the camera's state
            for camera in self.cameras.values():
                camera.reset()
        if self._path is not None:
            self._path.abandoned = True
        self._workers = self._mailbox = self._path = None
        self._background.stop(TIMEOUT_S)
        self._depth.close()

    def close(self) -> None:
        """Stop, and close all topics."""
        self._node.destroy_timer(self._timer)
        self.stop()
        for camera in self.cameras.values():
            camera.close()

    def follow_subscribers(self) -> None:
        """Subscribe to the cameras; with `lazy`, only to those whose masks have subscribers."""
        if not self.running:
            return
        for camera in self.cameras.values():
            if not self._settings.now.lazy or camera.publishers.wanted():
                camera.subscribe()
            else:
                camera.unsubscribe()
            camera.prompts.follow(self._holder.current)

    def _announce_idle_cameras(self) -> None:
        for camera in self.cameras.values():
            if not camera.subscribed:
                self._node.get_logger().info(
                    f'{camera.name}: {camera.image_topic} is subscribed to as soon as the masks '
                    'have a subscriber (lazy)'
                )

    def _deliver(self, camera: Camera, arrival: Arrival) -> None:
        """Put an image into the mailbox."""
        if self._mailbox is None or self._workers is None or self._path is None:
            return
        if not self._mailbox.put(camera.name, arrival):
            return
        if self.stalled_s and all(self._workers.busy_s()):
            self._path.drop(camera, 'stalled', SegError(f'for {self.stalled_s:.0f} s'))
        else:
            camera.health.drop('newer')
