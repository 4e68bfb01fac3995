"""The data path of a configured node: message, mailbox, frame, masks, messages."""

from dataclasses import dataclass
from threading import Lock
import traceback
from typing import Any

from seg_ros.core.card import ModelCard
from seg_ros.core.errors import ImageError, SegError
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.settings import Settings
from seg_ros.pipeline.age import age_ms
from seg_ros.pipeline.engine_holder import EngineHolder
from seg_ros.pipeline.mailbox import Mailbox
from seg_ros.pipeline.segmenter import Segmenter
from seg_ros.pipeline.worker import Workers
from seg_ros.ros.camera import Arrival, Camera, read_frame
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.outputs import Output, View
from seg_ros.ros.publishers import parts_of, publish, Publishers
from seg_ros.temporal.stamp_order import StampOrder
from seg_ros.temporal.temporal_filter import parts_for, TemporalFilter
from std_msgs.msg import Header

QUIET_S = 5.0


@dataclass(frozen=True, eq=False)
class Request:
    """
    A frame on its way, with what its readers want of it.

    :param header: of its message.
    :param arrival_ns: of the node's clock.
    """

    camera: Camera
    header: Header
    arrival_ns: int
    frame: Frame
    wanted: list[tuple[Output, Any]]


class Stream:
    """
    Cameras, workers and publishers between configure and cleanup.

    :param segmenters: exchanged between two frames when the model changes.
    """

    def __init__(
        self, node: SafeLifecycleNode, settings: Settings, segmenters: EngineHolder[Segmenter]
    ) -> None:
        self._node = node
        self._settings = settings
        self._segmenters = segmenters
        self._order = StampOrder()
        self._mailbox: Mailbox[Arrival] | None = None
        self._workers: Workers[Arrival] | None = None
        self.cameras = {
            name: Camera(node, name, settings, self._deliver) for name in settings.cameras
        }
        self._publishers = {name: Publishers(node, name) for name in settings.cameras}
        # Two workers may come with masks of one camera: the lock keeps them in order.
        self._followers = {name: (TemporalFilter(), Lock()) for name in settings.cameras}

    @property
    def running(self) -> bool:
        """Whether frames are worked on."""
        return self._workers is not None

    def start(self) -> None:
        """Begin to work; `follow_readers` decides which cameras are listened to."""
        settings = self._settings
        self._mailbox = Mailbox()
        self._workers = Workers(
            self._mailbox, self._work, self._report, settings.workers,
            min(settings.max_batch, self._segmenters.current.batch_limit),
        )
        self.follow_readers()

    def stop(self) -> None:
        """Stop listening and wait for the frames in flight."""
        for camera in self.cameras.values():
            camera.unsubscribe()
        if self._workers is not None:
            self._workers.stop()
        self._workers = self._mailbox = None
        for temporal_filter, _ in self._followers.values():
            temporal_filter.forget()

    def close(self) -> None:
        """Withdraw every topic."""
        self.stop()
        for publishers in self._publishers.values():
            publishers.close()

    def change(self, settings: Settings) -> None:
        """Take over what may change while running."""
        self._settings = settings
        for camera in self.cameras.values():
            camera.change(settings)

    def follow_readers(self) -> None:
        """Listen to a camera only while somebody reads its masks; called over and over."""
        if not self.running:
            return
        for name, camera in self.cameras.items():
            if not self._settings.lazy or self._publishers[name].wanted():
                camera.subscribe()
            elif camera.subscribed:
                camera.unsubscribe()

    def _deliver(self, name: str, arrival: Arrival) -> None:
        if self._mailbox is not None and self._mailbox.put(name, arrival):
            self.cameras[name].timing.count('newer')

    def _work(self, items: list[tuple[str, Arrival]]) -> None:
        asked = [self._request(self.cameras[name], arrival) for name, arrival in items]
        requests = [request for request in asked if request is not None]
        if not requests:
            return
        with self._segmenters.borrow() as segmenter:
            ready = [request for request in requests if self._suits(request, segmenter)]
            if not ready:
                return
            try:
                segmentations = segmenter.segment_batch(
                    [request.frame for request in ready],
                    [parts_for(parts_of(request.wanted), self._settings) for request in ready],
                )
            except SegError as error:
                for request in ready:
                    self._drop(request.camera, 'failed', error)
                return
            for request, segmentation in zip(ready, segmentations, strict=True):
                self._follow(request, segmentation, segmenter)

    def _request(self, camera: Camera, arrival: Arrival) -> Request | None:
        """Read a message, unless nobody wants its masks, it is too old or it cannot be read."""
        wanted = self._publishers[camera.name].wanted()
        if not wanted:
            camera.timing.count('unread')
            return None
        message = arrival.take()
        if message is None:     # it came so soon after the one before that it was taken for it
            camera.timing.count('newer')
            return None
        try:
            with self._segmenters.current.timing.stage('decode'):
                frame = read_frame(message, camera.brightness)
        except ImageError as error:
            self._drop(camera, 'bad', error)
            return None
        # What was taken may have come after the word of the one before it.
        latest_ns = min(frame.stamp_ns, self._node.get_clock().now().nanoseconds)
        arrival_ns = max(arrival.arrival_ns, latest_ns)
        request = Request(camera, message.header, arrival_ns, frame, wanted)
        limit_ms = self._settings.max_age_ms
        if limit_ms and self._age_ms(request) > limit_ms:
            camera.timing.count('age')
            return None
        return request

    def _suits(self, request: Request, segmenter: Segmenter) -> bool:
        """Leave out a frame that the engine cannot take, without losing the others."""
        try:
            segmenter.check(request.frame)
        except ImageError as error:
            self._drop(request.camera, 'bad', error)
            return False
        return True

    def _age_ms(self, request: Request) -> float:
        camera, stamp_ns = request.camera, request.frame.stamp_ns
        now_ns = self._node.get_clock().now().nanoseconds
        milliseconds, foreign = age_ms(stamp_ns, request.arrival_ns, now_ns)
        if foreign and not camera.timing.counts().get('foreign clock'):
            self._node.get_logger().warning(
                f'{camera.name}: stamps come from another clock (the first is '
                f'{(request.arrival_ns - stamp_ns) / 1e9:.1f} s old); ages count from '
                'arrival. Check use_sim_time and the clocks of both machines'
            )
        if foreign:
            camera.timing.count('foreign clock')
        return milliseconds

    def _follow(
        self, request: Request, segmentation: Segmentation, segmenter: Segmenter
    ) -> None:
        """Compare with the camera's earlier images and publish, both in the order of stamps."""
        camera, frame = request.camera, request.frame
        temporal_filter, lock = self._followers[camera.name]
        with lock:
            if not self._order.admit(camera.name, frame.stamp_ns):
                camera.timing.count('late')
                return
            followed = temporal_filter.follow(
                segmentation, frame.stamp_ns, segmenter.card, self._settings,
                parts_of(request.wanted), segmenter.timing,
            )
            with segmenter.timing.stage('publish'):
                self._publish(request, followed, segmenter.card)
        camera.timing.tick('output')
        camera.timing.add('age', self._age_ms(request))

    def _publish(self, request: Request, segmentation: Segmentation, card: ModelCard) -> None:
        settings = self._settings
        publish(request.wanted, View(
            request.frame, segmentation, card, request.header,
            request.camera.info_for(request.frame), round(1 / settings.output_scale),
            settings.overlay_alpha, settings.rectified,
        ))

    def _drop(self, camera: Camera, cause: str, error: SegError) -> None:
        camera.timing.count(cause)
        self._node.get_logger().error(
            f'{camera.name}: frame dropped: {error}', throttle_duration_sec=QUIET_S
        )

    def _report(self, error: Exception) -> None:
        """Tell of a fault of our own; the worker goes on. On the way out nothing can be sent."""
        if not self._node.context.ok():
            return
        self._segmenters.current.timing.count('fault')
        self._node.get_logger().error(
            'frame dropped by a fault in seg_ros:\n'
            + ''.join(traceback.format_exception(type(error), error, error.__traceback__)),
            throttle_duration_sec=QUIET_S,
        )
