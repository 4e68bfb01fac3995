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

"""The path of a frame in the node: convert, segment, publish; the workers run it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from seg_ros.ros.background import Background
from seg_ros.ros.camera import Arrival, Camera
from seg_ros.ros.conversions import frame_from_message
from seg_ros.ros.depth_advice import nothing_dynamic, poor_odometry
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.publishers import OutputPublisher, parts_of, View

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


class FramePath:
    """
    What the workers of one activation do with the images that they take.

    Its methods may run in several workers at once.

    :param holder: holds the current model, which is swapped between two frames.
    :param background: makes the outputs that masks do not wait for.
    """

    def __init__(
        self, node: SafeLifecycleNode, settings: LiveSettings, holder: EngineHolder,
        cameras: Mapping[str, Camera], background: Background,
    ) -> None:
        self._node = node
        self._settings = settings
        self._holder = holder
        self._cameras = cameras
        self._background = background
        self.abandoned = False      # results of workers that did not end in time are dropped

    def work(self, items: list[tuple[str, Arrival]]) -> None:
        """Segment images of several cameras together; the workers call it."""
        try:
            with self._holder.acquire() as serving:
                jobs = []
                for name, arrival in items:
                    camera = self._cameras[name]
                    with self._failures_of([camera]):
                        if job := self._job(camera, arrival, serving):
                            jobs.append(job)
                # The model may have changed to one with a smaller batch limit meanwhile.
                for first in range(0, len(jobs), serving.batch_limit):
                    batch = jobs[first:first + serving.batch_limit]
                    with self._failures_of([job.camera for job in batch]):
                        self._segment(batch, serving)
        except NoEngineError as error:
            for name, _ in items:
                self.drop(self._cameras[name], 'no_engine', error)

    def drop(self, camera: Camera, cause: Cause, error: Exception) -> None:
        """Count a dropped frame and log why, throttled."""
        camera.health.drop(cause, error)
        words = camera.health.explained(cause)
        self._node.throttled.error(f'{camera.name}: frame dropped: {words}', (camera.name, cause))

    def report(self, error: Exception) -> None:
        """Count and log an unexpected exception; the worker goes on."""
        self._node.fault('a frame was dropped', error)

    @contextmanager
    def _failures_of(self, cameras: Iterable[Camera]) -> Iterator[None]:
        """Count and log exceptions as dropped frames of these cameras; other cameras go on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - one frame must never stop a robot's masks
            if not self._node.context.ok():     # ROS is shut down: nothing can be published
                return
            for camera in cameras:
                self.drop(camera, 'failed', error)
            if not isinstance(error, SegError):     # unexpected
                self.report(error)

    def _job(self, camera: Camera, arrival: Arrival, serving: ServingModel) -> Job | None:
        """Return the job for an image; None if its masks have no subscriber or it is dropped."""
        wanted = camera.publishers.wanted()
        if not wanted:
            camera.health.drop('unread')
            return None
        frame = self._frame(camera, arrival, serving)
        return None if frame is None else Job(camera, arrival, frame, wanted)

    def _segment(self, jobs: Sequence[Job], serving: ServingModel) -> None:
        """Run the network on the frames together, then publish the masks of each."""
        inferences = infer(
            [job.frame for job in jobs], [job.camera.temporal.prompts for job in jobs], serving
        )
        for job, inference in zip(jobs, inferences, strict=True):
            with self._failures_of([job.camera]):
                self._finish(job, inference, serving)

    def _finish(self, job: Job, inference: Inference, serving: ServingModel) -> None:
        """Publish the masks of a frame, unless a later one of its camera was published before."""
        camera, parts = job.camera, parts_of(job.wanted)
        segmentation = postprocess(inference, serving, parts)
        with camera.order.turn(job.arrival.number) as in_turn:
            if not in_turn:
                camera.health.drop('late')
                return
            segmentation = follow(segmentation, inference, serving, parts, camera.temporal)
            if self.abandoned:
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
            self.drop(camera, 'bad', error)
            return None
        if not frame.stamp_ns:      # tracking and smoothing need increasing stamps
            frame = replace(frame, stamp_ns=arrival.taken_ns - camera.clock.offset_ns)
        limit_ms, age_ms = self._settings.now.max_age_ms, self._age_ms(arrival)
        if limit_ms and age_ms > limit_ms:
            self.drop(camera, 'age', too_old(age_ms, limit_ms))
            return None
        return frame

    def _publish(self, job: Job, view: View) -> None:
        """Publish the masks, then queue the outputs that they do not wait for."""
        for each in job.wanted:
            if not each.output.in_background:
                each.publish(view)
        deferred = [
            each for each in job.wanted if each.output.deferred and not each.output.needs_depth
        ]
        if deferred:
            # A view of their own keeps what they draw; the other one may wait long for its depth.
            task = partial(self._background.publish, deferred, replace(view))
            if self._background.put(f'{job.camera.name}: deferred', task):
                job.camera.deferred_replaced += 1
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


def too_old(age_ms: float, limit_ms: float) -> SegError:
    """Return the error for an image that is too old; a huge age suggests a clock problem."""
    if age_ms < LONG_MS:
        return SegError(f'{age_ms:.0f} ms, the limit is {limit_ms:g}')
    return SegError(
        f'{age_ms / 1000:.0f} s, the limit is {limit_ms:g} ms',
        do='check that the images are stamped by the same clock as this node uses',
    )
