"""The lifecycle of the segmentation node: states and parameters, no pixel."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
import signal
import sys
from threading import Event
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
import rclpy
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from seg_ros.core.errors import SegError, SettingError
from seg_ros.core.progress import Cancelled, never
from seg_ros.core.settings import Settings
from seg_ros.pipeline.memory import keep_freed_memory
from seg_ros.pipeline.segmenter import Segmenter
from seg_ros.ros.build_progress import BuildProgress
from seg_ros.ros.diagnostics import build_diagnostics, diagnostics, images_lost
from seg_ros.ros.lifecycle import logged, SafeLifecycleNode
from seg_ros.ros.models import check_model, Models
from seg_ros.ros.outputs.vision import label_info, MISSING
from seg_ros.ros.parameters import Declared, is_live, reason, settings_changed
from seg_ros.ros.qos import LATCHED
from seg_ros.ros.spin import open_executor, STEADY
from seg_ros.ros.stream import Stream
from std_msgs.msg import Header
from std_srvs.srv import SetBool

FOLLOW_S = 0.05
WAKE_S = 0.2    # how long a signal may go unnoticed while nothing else happens


class SegmentationNode(SafeLifecycleNode):
    """
    Camera images in, semantic, instance and panoptic masks out.

    :param cancelled: asked while TensorRT builds whether the process is to end.
    """

    def __init__(self, cancelled: Cancelled = never, **arguments: Any) -> None:
        super().__init__('segmentation', **arguments)
        self._cancelled = cancelled
        self._progress = BuildProgress(self.get_logger().info, self._diagnose_build)
        self._declared = Declared(self)
        self.declare_parameter('autostart', True)
        self.add_on_set_parameters_callback(self._on_parameters)
        self.create_service(SetBool, '~/enable', self._on_enable)
        self._settings = Settings()
        self._models: Models | None = None
        self._stream: Stream | None = None
        self._entities: list[tuple[Callable[[Any], object], Any]] = []
        self._labels: dict[str, Any] = {}
        self._state = 'unconfigured'
        self._enabled = True
        if self.get_parameter('autostart').value:
            self.start_when_spinning()

    @logged
    def on_configure(self) -> None:
        """Read the parameters, open the engine and announce the topics."""
        self._settings = self._declared.read()
        try:
            self._open()
        except BaseException:
            self.release()
            raise
        self._state = 'inactive'

    def _open(self) -> None:
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._entities.append((self.destroy_publisher, self._diagnostics))
        models = self._models = Models(self._settings, self._progress, self._cancelled)
        self._stream = Stream(self, self._settings, models.lease)
        if MISSING:
            self.get_logger().warning(MISSING)
        else:
            self._announce_labels()
        for period_s, callback in ((1.0, self._diagnose), (FOLLOW_S, self._follow)):
            timer = self.create_timer(period_s, callback, clock=STEADY)
            self._entities.append((self.destroy_timer, timer))
        self._tell_engine(models.lease.current)

    def _tell_engine(self, segmenter: Segmenter) -> None:
        facts = segmenter.engine.facts
        self.get_logger().info(
            f'{segmenter.card.name} on {facts.engine} {facts.version}, {facts.device}, '
            f'{facts.precision}, {facts.threads} threads, upsample {facts.upsample}'
        )
        for note in facts.notes:
            self.get_logger().warning(note)

    @logged
    def on_activate(self) -> None:
        """Begin to work on frames."""
        self._state = 'active'
        if self._stream is not None and self._enabled:
            self._stream.start()

    @logged
    def on_deactivate(self) -> None:
        """Let the cameras go and finish the frames in flight."""
        self._state = 'inactive'
        if self._stream is not None:
            self._stream.stop()

    @logged
    def on_cleanup(self) -> None:
        """Give everything back."""
        self.release()

    @logged
    def on_shutdown(self) -> None:
        """Give everything back, from any state."""
        self.release()

    def release(self) -> None:
        """Close what is open; may be called at any time, more than once."""
        self._state = 'unconfigured'
        for destroy, entity in self._entities:
            destroy(entity)
        self._entities = []
        for publisher in self._labels.values():
            self.destroy_publisher(publisher)
        self._labels = {}
        if self._stream is not None:
            self._stream.close()
        if self._models is not None:
            self._models.close()
        self._stream = self._models = None

    def _announce_labels(self) -> None:
        """Publish each camera's latched label_info, anew when the model changed."""
        from vision_msgs.msg import LabelInfo

        if self._models is None:
            return
        card = self._models.lease.current.card
        stamp = self.get_clock().now().to_msg()
        for name in self._settings.cameras:
            publisher = self._labels.get(name)
            if publisher is None:
                publisher = self.create_publisher(LabelInfo, f'~/{name}/label_info', LATCHED)
                self._labels[name] = publisher
            publisher.publish(label_info(card, Header(stamp=stamp), self._settings.min_confidence))

    def _diagnose(self) -> None:
        if self._models is None or self._stream is None:
            return
        cameras = self._stream.cameras.values()
        self._diagnostics.publish(diagnostics(
            self.get_clock().now(), self.get_name(), self._state, self._models.lease.current,
            cameras, (self._models.active, self._models.pending), self._progress.words,
        ))
        # Of all cameras at once: what is throttled is the line of code, not the words.
        words = [camera.mismatch() or images_lost(camera) for camera in cameras]
        if any(words):
            self.get_logger().warning('; '.join(filter(None, words)), throttle_duration_sec=60.0)

    def _diagnose_build(self, words: str) -> None:
        """Tell of a build while a transition waits for it, when no timer can."""
        if self._models is None:
            self._diagnostics.publish(
                build_diagnostics(self.get_clock().now(), self.get_name(), self._settings, words)
            )

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Pause and resume the masks of an active node."""
        self._enabled = request.data
        if self._stream is not None and self._state == 'active':
            if not request.data:
                self._stream.stop()
            elif not self._stream.running:
                self._stream.start()
        response.success = True
        response.message = 'enabled' if request.data else 'disabled'
        return response

    def _on_parameters(self, parameters: Iterable[Parameter]) -> SetParametersResult:
        """Refuse what cannot be, with the reason; let the rest act on the next frame."""
        parameters = list(parameters)
        try:
            settings, changes = settings_changed(
                self._settings, parameters, self._models is not None
            )
            self._take_over(settings, changes)
        except SegError as error:
            return SetParametersResult(successful=False, reason=reason(error))
        self._declared.mended(parameter.name for parameter in parameters)
        return SetParametersResult(successful=True)

    def _take_over(self, settings: Settings, changes: Mapping[str, Any]) -> None:
        """Check everything before anything acts."""
        if 'model' in changes:
            check_model(settings, settings.model)
        if self._models is None or self._stream is None:
            self._settings = settings
            return
        if 'model' in changes and self._models.pending:
            raise SettingError(
                f'{self._models.pending} is still being loaded', do='wait until it serves'
            )
        live = {name: value for name, value in changes.items() if is_live(name)}
        running = replace(self._settings, **live)
        if 'model' in changes:
            self._models.load(running)
        else:
            self._models.lease.current.change(running)
        self._settings = running
        self._stream.change(running)

    def _follow(self) -> None:
        """Look after what changes by itself: readers, publishers, a model that has been loaded."""
        if self._models is None or self._stream is None:
            return
        self._stream.follow_readers()
        if not self._models.ended.empty():
            self._settle(self._models, *self._models.ended.get())

    def _settle(self, models: Models, model: str, error: Exception | None) -> None:
        """
        Tell how the loading of a model ended; on failure the parameter is set back.

        What else was changed in the meantime holds for the model that serves now.
        """
        if not models.pending:
            self._progress.end()
        if error is None:
            self._tell_engine(models.lease.current)
            try:
                models.lease.current.change(self._settings)
            except SegError as unsuited:
                self.get_logger().error(f'{model} keeps the thresholds it came with: {unsuited}')
            if not MISSING:
                self._announce_labels()
        else:
            facts = models.lease.current.engine.facts
            self.get_logger().error(
                f'{model} not loaded, {models.active} serves on {facts.engine}: {error}'
            )
            self._settings = replace(self._settings, model=models.active)
            self.set_parameters([Parameter('model', value=models.active)])


def main(arguments: list[str] | None = None) -> int:
    """
    Run the node until SIGINT or SIGTERM.

    rclpy's own signal handlers would pull the context from under the frames in flight: here the
    node finishes and closes everything first.
    """
    keep_freed_memory()
    cv2.setNumThreads(1)
    rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    node = SegmentationNode(ended.is_set)
    executor = open_executor()
    executor.add_node(node)
    try:
        while not ended.is_set():
            executor.spin_once(timeout_sec=WAKE_S)
    finally:
        node.abandon_autostart()
        node.release()
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
