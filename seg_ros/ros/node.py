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

"""The segmentation node: lifecycle, parameters and diagnostics."""

from dataclasses import replace
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.parameter import Parameter
from seg_ros.core.errors import described
from seg_ros.core.progress import Cancelled, never
from seg_ros.core.settings import LiveSettings, Settings
from seg_ros.pipeline.model_manager import ModelManager
from seg_ros.pipeline.model_states import ModelState
from seg_ros.ros.build_progress import BuildProgress
from seg_ros.ros.camera_pipeline import CameraPipeline
from seg_ros.ros.clock_watch import ClockWatch
from seg_ros.ros.diagnostics import diagnostics, input_problem, NodeFacts
from seg_ros.ros.lifecycle import logged, SafeLifecycleNode, STEADY
from seg_ros.ros.manager_bond import ManagerBond
from seg_ros.ros.model_interface import ModelInterface
from seg_ros.ros.outputs import ABSENCES
from seg_ros.ros.parameter_requests import ParameterRequests
from seg_ros.ros.parameters import Declared
from seg_ros.ros.topic_advice import namesakes
from std_srvs.srv import SetBool

DIAGNOSTICS_S = 1.0
TIMEOUT_S = 1.5     # for a load to be cancelled and the engine to be closed


class SegmentationNode(SafeLifecycleNode):
    """
    Camera images in, semantic, instance and panoptic masks out.

    :param cancelled: returns whether the process is to end; called while a model is loaded.
    """

    def __init__(self, cancelled: Cancelled = never, **arguments: Any) -> None:
        super().__init__('segmentation', **arguments)
        self._cancelled = cancelled
        self._progress = BuildProgress(
            self.get_logger().info, self.guarded(self._diagnose_loading)
        )
        self._declared = Declared(self)
        starts_itself = self.declare_autostart()
        self._settings = LiveSettings(Settings())
        self._models: ModelManager | None = None
        self._pipeline: CameraPipeline | None = None
        self._interface: ModelInterface | None = None
        self._bond = ManagerBond(self)
        self._clock_watch = ClockWatch(self.get_clock())
        self._lifecycle = 'unconfigured'    # rclpy's own state is private
        self._not_configured = ''   # the reason why the last configure failed
        self._enabled = True
        # The loading thread triggers it; it runs in the thread that spins.
        self._model_changed = self.create_guard_condition(self.guarded(self._on_model))
        self._requests = ParameterRequests(
            self, self._declared, self._settings, lambda: self._models, self._apply_settings
        )
        self.create_service(SetBool, '~/enable', self._on_enable)
        # Created before configure, so that a node that cannot be configured reports the reason.
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self.create_timer(DIAGNOSTICS_S, self.guarded(self._diagnose), clock=STEADY)
        if starts_itself:
            self.start_when_spinning()

    @logged
    def on_configure(self) -> None:
        """Read the parameters, open the engine and announce the topics."""
        try:
            self._settings.now = self._declared.read()
            self._open()
        except BaseException as error:
            self.release()
            self._not_configured = f'not configured: {described(error)}'
            raise
        self._not_configured = ''
        self._lifecycle = 'inactive'

    def _open(self) -> None:
        self._models = ModelManager(self._model_changed.trigger, self._progress)
        self._models.load(self._settings.now)
        self._models.wait(self._cancelled, self._progress.repeat)
        self._pipeline = CameraPipeline(self, self._settings, self._models.holder)
        self._interface = ModelInterface(self, self._settings, self._models)
        for words in ABSENCES:
            self.get_logger().warning(words)

    @logged
    def on_activate(self) -> None:
        """Start to process frames."""
        if self._pipeline is not None and self._enabled:
            self._pipeline.start()
        self.guarded(self._bond.form)()
        self._lifecycle = 'active'

    @logged
    def on_deactivate(self) -> None:
        """Release the cameras and finish the frames in flight."""
        self._lifecycle = 'inactive'
        self.guarded(self._bond.end)()
        if self._pipeline is not None:
            self._pipeline.stop()

    @logged
    def on_cleanup(self) -> None:
        """Release everything."""
        self.release()
        self._not_configured = ''

    @logged
    def on_shutdown(self) -> None:
        """Release everything, from any state."""
        self.release()
        self._lifecycle, self._not_configured = 'finalized', ''

    def release(self) -> None:
        """
        Close the engine, the cameras and the publishers; may be called at any time, repeatedly.

        An engine or worker that does not end within its timeout is abandoned.
        """
        self._lifecycle = 'unconfigured'
        self.guarded(self._bond.end)()
        models, pipeline, interface = self._models, self._pipeline, self._interface
        # Before the publishers are destroyed: the loading thread may be about to use them.
        self._models = self._pipeline = self._interface = None
        if interface is not None:
            interface.close()
        if models is not None:
            models.cancel_load()    # first, since a load may take long to end
        if pipeline is not None:
            pipeline.close()
        if models is not None and not models.close(TIMEOUT_S):
            self.get_logger().error('the engine did not end in time and is abandoned')

    def destroy_node(self) -> None:
        """Release everything while its topics and timers still exist."""
        self.release()
        super().destroy_node()

    def _diagnose(self) -> None:
        """Publish diagnostics."""
        cameras = list(self._pipeline.cameras.values()) if self._pipeline else []
        facts = self._facts()
        problems = [(camera, input_problem(camera, facts)) for camera in cameras]
        self._diagnostics.publish(diagnostics(self.get_clock().now(), facts, problems))
        if words := namesakes(self):
            self.throttled.warning(words, 'namesakes', throttle_s=60.0)
        for camera, problem in problems:
            for topic, words in (('input', problem), ('depth', camera.depth.absence())):
                if words:
                    key = topic, camera.name
                    self.throttled.warning(f'{camera.name}: {words}', key, throttle_s=60.0)

    def _diagnose_loading(self, words: str) -> None:
        """Publish diagnostics during configure, which blocks the timers until a model is open."""
        models = self._models
        if models is None or self._pipeline is not None:
            return
        loading = replace(models.state, status='loading')
        facts = replace(self._facts(), state='configuring', model=loading, build=words)
        self._diagnostics.publish(diagnostics(self.get_clock().now(), facts, ()))

    def _facts(self) -> NodeFacts:
        models, pipeline = self._models, self._pipeline
        return NodeFacts(
            name=self.get_fully_qualified_name(),
            state=self._lifecycle,
            enabled=self._enabled,
            model=models.state if models else ModelState(),
            serving=models.holder.current if models else None,
            unserved=models.holder.reason if models else self._not_configured,
            build=self._progress.words,
            stalled_s=pipeline.stalled_s if pipeline else 0.0,
            overdue=pipeline.overdue if pipeline else '',
            faults=self.faults,
            faulty=self.faulty,
            clock_problem=self._clock_watch.problem(),
        )

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Pause and resume the masks of an active node."""
        try:
            if self._pipeline is not None and self._lifecycle == 'active':
                if not request.data:
                    self._pipeline.stop()
                elif not self._pipeline.running:
                    self._pipeline.start()
        except Exception as error:  # noqa: BLE001 - the answer says what went wrong
            self.fault('~/enable', error)
            response.success, response.message = False, described(error)
            return response
        self._enabled = request.data
        response.success, response.message = True, 'enabled' if request.data else 'disabled'
        return response

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Set parameters; the reason in the result says which values act later."""
        return self._requests.answered(super().set_parameters_atomically, parameter_list)

    def _apply_settings(self, wanted: Settings, model_named: bool) -> None:
        """Apply all parameters; `model_named` says whether `model` was set, changed or not."""
        if self._interface is None:
            self._settings.now = wanted
        else:
            self._interface.apply(wanted, model_named)

    def _on_model(self) -> None:
        """React to a model that has been loaded or has failed to load."""
        if self._models is None or self._interface is None:
            return
        if not self._models.state.pending:
            self._progress.end()
        self._interface.on_change()
