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

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import ImageError, NoEngineError, SegError
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.settings import LiveSettings
from seg_ros.pipeline.camera_health import Cause
from seg_ros.pipeline.engine_holder import EngineHolder
from seg_ros.pipeline.process import follow, infer, Inference, postprocess
from seg_ros.pipeline.serving_model import ServingModel
from seg_ros.pipeline.workers import Mailbox, Workers
from seg_ros.ros.camera import Arrival, Camera
from seg_ros.ros.conversions import frame_from_message
from seg_ros.ros.depth_advice import nothing_dynamic, poor_odometry
from seg_ros.ros.depth_worker import DepthWorker
from seg_ros.ros.lifecycle import SafeLifecycleNode, STEADY
from seg_ros.ros.publishers import OutputPublisher, parts_of, View

SUBSCRIBERS_S = 0.2     # between two queries of the subscribers
TIMEOUT_S = 1.5    # for frames in flight to finish
LONG_MS = 10_000    # longer than any transport takes: the clocks differ


@dataclass(frozen=True, eq=False)
class Job:
    """
    A frame to segment.

    :param wanted: outputs to publish.
    """

    camera: Camera
    arrival: Arrival
    frame: Frame
    wanted: Sequence[OutputPublisher]


class CameraPipeline:
    """
    Cameras, mailbox and workers of a configured node.

    Workers run `_work`; everything else runs in the executor's thread, so that no worker, unless
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
        self._mailbox: Mailbox[Arrival] | None = None     # of the current workers
        self._workers: Workers[Arrival] | None = None
        self._depth = DepthWorker(node, settings.now.base_frame)
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

    def start(self) -> None:
        """
        Start the workers and subscribe to the cameras.

        If that fails, nothing is left running.
        """
        count = self._settings.now.workers
        try:
            self._depth.start()
            self._mailbox = mailbox = Mailbox[Arrival]()
            self._workers = Workers(
                mailbox, partial(self._work, mailbox), self._report, count, self._batch_limit
            )
            self.follow_subscribers()
            self._announce_idle_cameras()
        except BaseException:
            self.stop()
            raise

    def _batch_limit(self) -> int:
        """Return how many cameras' frames the current engine may process in one call."""
        serving = self._holder.current
        return min(self._settings.now.max_batch, serving.batch_limit) if serving else 1

    def stop(self) -> bool:
        """
        Unsubscribe and wait for the frames in flight.

        :returns: whether they finished in time.
        """
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
        self._workers = self._mailbox = None
        return self._depth.stop(TIMEOUT_S) and ended

    def close(self) -> bool:
        """Stop, and close all topics."""
        self._node.destroy_timer(self._timer)
        ended = self.stop()
        for camera in self.cameras.values():
            camera.close()
        return ended

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
        if self._mailbox is None or self._workers is None:
            return
        if not self._mailbox.put(camera.name, arrival):
            return
        if self.stalled_s and all(self._workers.busy_s()):
            self._drop(camera, 'stalled', SegError(f'for {self.stalled_s:.0f} s'))
        else:
            camera.health.drop('newer')

    def _work(self, mailbox: Mailbox[Arrival], items: list[tuple[str, Arrival]]) -> None:
        """Segment images of several cameras together."""
        try:
            with self._holder.acquire() as serving:
                jobs = []
                for name, arrival in items:
                    camera = self.cameras[name]
                    with self._failures_of([camera]):
                        if job := self._job(camera, arrival, serving):
                            jobs.append(job)
                # The model may have changed to one with a smaller batch limit meanwhile.
                for first in range(0, len(jobs), serving.batch_limit):
                    batch = jobs[first:first + serving.batch_limit]
                    with self._failures_of([job.camera for job in batch]):
                        self._segment(batch, serving, mailbox)
        except NoEngineError as error:
            for name, _ in items:
                self._drop(self.cameras[name], 'no_engine', error)

    @contextmanager
    def _failures_of(self, cameras: Iterable[Camera]) -> Iterator[None]:
        """Count and log exceptions as dropped frames of these cameras; other cameras go on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - one frame must never stop a robot's masks
            if not self._node.context.ok():     # ROS is shut down: nothing can be published
                return
            for camera in cameras:
                self._drop(camera, 'failed', error)
            if not isinstance(error, SegError):     # unexpected
                self._report(error)

    def _job(self, camera: Camera, arrival: Arrival, serving: ServingModel) -> Job | None:
        """Return the job for an image; None if its masks have no subscriber or it is dropped."""
        wanted = camera.publishers.wanted()
        if not wanted:
            camera.health.drop('unread')
            return None
        frame = self._frame(camera, arrival, serving)
        return None if frame is None else Job(camera, arrival, frame, wanted)

    def _segment(
        self, jobs: Sequence[Job], serving: ServingModel, mailbox: Mailbox[Arrival]
    ) -> None:
        """Run the network on the frames together, then publish the masks of each."""
        inferences = infer(
            [job.frame for job in jobs], [job.camera.temporal.prompts for job in jobs], serving
        )
        for job, inference in zip(jobs, inferences, strict=True):
            with self._failures_of([job.camera]):
                self._finish(job, inference, serving, mailbox)

    def _finish(
        self, job: Job, inference: Inference, serving: ServingModel, mailbox: Mailbox[Arrival]
    ) -> None:
        """Publish the masks of a frame, unless a later one of its camera was published before."""
        camera, parts = job.camera, parts_of(job.wanted)
        segmentation = postprocess(inference, serving, parts)
        with camera.order.turn(job.arrival.number) as in_turn:
            if not in_turn:
                camera.health.drop('late')
                return
            segmentation = follow(segmentation, inference, serving, parts, camera.temporal)
            if self._mailbox is not mailbox:    # the result of an abandoned worker
                camera.health.drop('stalled')
                return
            with serving.timing.stage('publish'):
                self._publish(job, self._view(job, segmentation, serving.card))
        camera.health.timing.tick('output')
        camera.health.timing.add('age', self._age_ms(job.arrival))

    def _frame(self, camera: Camera, arrival: Arrival, serving: ServingModel) -> Frame | None:
        """Convert a message; drop it and return None if it cannot be read or is too old."""
        try:
            with serving.timing.stage('decode'):
                frame = frame_from_message(arrival.message, camera.brightness)
            signature = serving.engine.signature
            if signature.source_hw:
                signature.check_source(frame.size_hw)
        except ImageError as error:
            self._drop(camera, 'bad', error)
            return None
        if not frame.stamp_ns:      # tracking and smoothing need increasing stamps
            frame = replace(frame, stamp_ns=arrival.taken_ns - camera.clock.offset_ns)
        limit_ms, age_ms = self._settings.now.max_age_ms, self._age_ms(arrival)
        if limit_ms and age_ms > limit_ms:
            self._drop(camera, 'age', too_old(age_ms, limit_ms))
            return None
        return frame

    def _publish(self, job: Job, view: View) -> None:
        """Publish the outputs that need only masks, then queue those that need depth."""
        for each in job.wanted:
            if not each.output.needs_depth:
                each.publish(view)
        if needing_depth := [each for each in job.wanted if each.output.needs_depth]:
            job.camera.depth.offer(needing_depth, view)

    def _age_ms(self, arrival: Arrival) -> float:
        """Return the age of an image; 0 if its stamp is ahead of the clock."""
        now_ns: int = self._node.get_clock().now().nanoseconds
        return max(0, now_ns - arrival.taken_ns) / 1e6

    def _view(self, job: Job, segmentation: Segmentation, card: ModelCard) -> View:
        settings = self._settings.now
        return View(
            frame=job.frame, segmentation=segmentation, card=card,
            header=job.arrival.message.header, camera_info=job.camera.info_for(job.frame),
            step=round(1 / settings.output_scale), alpha=settings.overlay_alpha,
            rectified=settings.rectified, dynamic=self._dynamic(job, segmentation, card),
        )

    def _dynamic(
        self, job: Job, segmentation: Segmentation, card: ModelCard
    ) -> NDArray[np.bool_] | None:
        """Update the camera's dynamic mask if an output needs it, and warn where it is useless."""
        if not any(each.output.needs_dynamic for each in job.wanted):
            return None
        camera = job.camera
        metres = camera.depth.arrived_metres(job.frame, job.arrival.message.header)
        mask = camera.dynamic.update(segmentation, card, job.frame.stamp_ns, metres)
        if words := nothing_dynamic(card) or poor_odometry(camera.dynamic.share):
            self._node.throttled.warning(f'{camera.name}: {words}', (camera.name, 'dynamic'))
        return mask

    def _drop(self, camera: Camera, cause: Cause, error: Exception) -> None:
        camera.health.drop(cause, error)
        words = camera.health.explained(cause)
        self._node.throttled.error(f'{camera.name}: frame dropped: {words}', (camera.name, cause))

    def _report(self, error: Exception) -> None:
        """Count and log an unexpected exception; the worker goes on."""
        self._node.fault('a frame was dropped', error)


def too_old(age_ms: float, limit_ms: float) -> SegError:
    """Return the error for an image that is too old; a huge age suggests a clock problem."""
    if age_ms < LONG_MS:
        return SegError(f'{age_ms:.0f} ms, the limit is {limit_ms:g}')
    return SegError(
        f'{age_ms / 1000:.0f} s, the limit is {limit_ms:g} ms',
        do='check that the images are stamped by the same clock as this node uses',
    )
