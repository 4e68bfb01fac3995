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

"""
A lifecycle node that survives invalid requests, failing transitions and failing callbacks.

It works around two faults of rclpy: an invalid transition request raises out of `spin`
(https://github.com/ros2/rclpy/issues/1209, fixed in Kilted), and an exception in a transition
becomes ERROR without a log message (https://github.com/ros2/rclpy/pull/1673, not released yet).
"""

from collections.abc import Callable, Hashable
from functools import wraps
from threading import Lock
from time import monotonic
import traceback
from typing import Any, ParamSpec, TypeAlias, TypeVar

from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from seg_ros.core.errors import described, SegError

P = ParamSpec('P')
R = TypeVar('R')
Transition: TypeAlias = Callable[[Any, LifecycleState], TransitionCallbackReturn]

# For timers that must run even while simulated time stands still.
STEADY = Clock(clock_type=ClockType.STEADY_TIME)
THROTTLE_S = 5.0   # between two lines with the same key
FAULTY_S = 60.0     # how long diagnostics show an error after a fault


def logged(transition: Callable[[Any], None]) -> Transition:
    """
    Turn a method into a transition callback that also calls rclpy's own for managed publishers.

    An exception is logged and becomes FAILURE, so that the node returns to its previous state.
    The log has the message of a `SegError`, and the traceback of any other exception.
    """
    managed: Transition = getattr(LifecycleNode, transition.__name__)

    def callback(node: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            transition(node)
            return managed(node, state)
        except SegError as error:
            node.get_logger().error(f'{transition.__name__}: {error}')
            node.get_logger().debug(traceback.format_exc())
            return TransitionCallbackReturn.FAILURE
        except Exception:  # noqa: BLE001 - the node must live to be configured again
            node.get_logger().error(f'{transition.__name__}:\n{traceback.format_exc()}')
            return TransitionCallbackReturn.FAILURE

    return callback


def _refusal(request: Any, response: Any, reason: str) -> Any:
    """Write the reason of a refusal into a response, if its type has a field for it."""
    refused = SetParametersResult(successful=False, reason=reason)
    if isinstance(response, SetParameters.Response):
        response.results = [refused] * len(request.parameters)
    elif isinstance(response, SetParametersAtomically.Response):
        response.result = refused
    return response


class ThrottledLog:
    """
    A throttled log: at most one line in `THROTTLE_S` seconds for each key.

    rclpy throttles by line of code, so that messages of one camera would hide another's.
    """

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        self._logged_s: dict[Hashable, float] = {}

    def error(self, words: str, key: Hashable, throttle_s: float = THROTTLE_S) -> None:
        """Log an error, unless its key was logged recently."""
        if self._is_due(key, throttle_s):
            self._logger.error(words)

    def warning(self, words: str, key: Hashable, throttle_s: float = THROTTLE_S) -> None:
        """Log a warning, unless its key was logged recently."""
        if self._is_due(key, throttle_s):
            self._logger.warning(words)

    def _is_due(self, key: Hashable, throttle_s: float) -> bool:
        now_s = monotonic()
        due = now_s - self._logged_s.get(key, -throttle_s) >= throttle_s
        if due:
            self._logged_s[key] = now_s
        return due


class SafeLifecycleNode(LifecycleNode):
    """
    Answers invalid transition requests with `success: false`, and counts exceptions in callbacks.

    The node can also start itself: once it spins, it makes one attempt to configure and activate,
    which the first transition request from outside ends.
    """

    def __init__(self, name: str, **arguments: Any) -> None:
        self.faults = 0
        self._counting = Lock()
        self._fault_s = float('-inf')
        self._autostart: Any = None
        super().__init__(name, **arguments)
        self.throttled = ThrottledLog(self.get_logger())
        for service in self.services:   # of parameters and of the lifecycle
            service.callback = self.answered(service.callback)

    # The method is private in rclpy, so its mangled name is overridden.
    def _LifecycleNodeMixin__on_change_state(  # noqa: N802 - rclpy's mangled name
        self, request: ChangeState.Request, response: ChangeState.Response
    ) -> ChangeState.Response:
        if self._autostart is not None:
            self.get_logger().info('autostart is abandoned: another transition was requested')
        self.abandon_autostart()
        try:
            return super()._LifecycleNodeMixin__on_change_state(request, response)
        except Exception as error:  # noqa: BLE001 - a bad request must not end the node
            transition = request.transition.id
            self.get_logger().error(f'transition {transition} refused: {described(error)}')
            response.success = False
            return response

    def answered(self, callback: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """
        Wrap a service callback so that requests for which rclpy raises are answered too.

        rclpy raises for values that the message type allows but ROS does not define, such as an
        unknown parameter type, and the client would wait for ever.
        """

        @wraps(callback)
        def safe(request: Any, response: Any) -> Any:
            try:
                return callback(request, response)
            except Exception as error:  # noqa: BLE001 - a bad request must not end the node
                words = described(error)
                self.throttled.error(f'a request is refused: {words}', (callback, type(error)))
                return _refusal(request, response, words)

        return safe

    def guarded(self, callback: Callable[P, R], where: str = '') -> Callable[P, 'R | None']:
        """
        Wrap a callback so that exceptions are logged and counted.

        :param where: name of the callback in the log. Defaults to its own name.
        """
        place = where or getattr(callback, '__name__', 'a callback')

        @wraps(callback)
        def safe(*arguments: P.args, **named: P.kwargs) -> 'R | None':
            try:
                return callback(*arguments, **named)
            except Exception as error:  # noqa: BLE001 - no exception may leave a callback
                self.fault(place, error)
                return None

        return safe

    def fault(self, where: str, error: Exception) -> None:
        """
        Log and count an unexpected exception; any thread may call it.

        Exceptions after ROS was shut down, as at the end of the process, are ignored.
        """
        if not self.context.ok():
            return
        with self._counting:
            self.faults += 1
            self._fault_s = monotonic()
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        words = f'a fault in seg_ros, {where}:\n{"".join(lines)}'
        self.throttled.error(words, (where, type(error)))

    @property
    def faulty(self) -> bool:
        """Whether a fault occurred within the last `FAULTY_S` seconds."""
        return monotonic() - self._fault_s < FAULTY_S

    def declare_autostart(self) -> bool:
        """Return whether the node is to start itself; an invalid value is logged as an error."""
        described = ParameterDescriptor(
            description='One attempt to configure and activate at the start.',
            dynamic_typing=True, read_only=True,
        )
        value = self.declare_parameter('autostart', True, described).value
        if not isinstance(value, bool):
            self.get_logger().error(
                f'autostart: {value!r}; expected true or false; the node waits to be configured'
            )
        return value is True

    def start_when_spinning(self) -> None:
        """Configure and then activate while spinning, unless a request comes first."""
        steps = [
            self.trigger_configure,
            lambda: TransitionCallbackReturn.SUCCESS,   # requests that came meanwhile are answered
            self.trigger_activate,
        ]

        def step() -> None:
            if steps.pop(0)() != TransitionCallbackReturn.SUCCESS:
                self.get_logger().error(
                    'autostart failed: fix the cause, then restart the node, or run '
                    f'`ros2 lifecycle set {self.get_fully_qualified_name()} configure`, then '
                    '`activate`'
                )
                steps.clear()
            if not steps:
                self.abandon_autostart()

        self._autostart = self.create_timer(0.001, self.guarded(step), clock=STEADY)

    def abandon_autostart(self) -> None:
        """Make no further automatic transition."""
        if self._autostart is not None:
            self._autostart.cancel()
            self.destroy_timer(self._autostart)
            self._autostart = None
