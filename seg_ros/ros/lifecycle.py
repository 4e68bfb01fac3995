"""A lifecycle node that neither a wrong request nor a failing transition can kill."""

from collections.abc import Callable, Iterator, Set
import traceback
from typing import Any, TypeAlias

from lifecycle_msgs.srv import ChangeState
from rclpy._rclpy_pybind11 import RCLError
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.subscription import Subscription
from seg_ros.core.errors import SegError
from seg_ros.ros.spin import STEADY

Transition: TypeAlias = Callable[[Any, LifecycleState], TransitionCallbackReturn]


def logged(transition: Callable[[Any], None]) -> Transition:
    """
    Turn a method into a transition callback.

    rclpy makes ERROR of an exception and logs nothing; here it becomes FAILURE, so that the node
    stays in the state it came from, and a line in the log: the message of an error that was raised
    on purpose, the traceback of any other.
    """

    def callback(node: Any, _: LifecycleState) -> TransitionCallbackReturn:
        try:
            transition(node)
        except SegError as error:
            node.get_logger().error(f'{transition.__name__}: {error}')
            node.get_logger().debug(traceback.format_exc())
            return TransitionCallbackReturn.FAILURE
        except Exception:  # noqa: BLE001 - the node must live to be configured again
            node.get_logger().error(f'{transition.__name__}:\n{traceback.format_exc()}')
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    return callback


class SafeLifecycleNode(LifecycleNode):
    """
    Answers an invalid transition request with `success: false`.

    In rclpy up to Jazzy's 7.1 such a request raises out of `spin`, which ends the process. The
    method is private there, so its mangled name is overridden.

    The node can also start itself: one attempt to configure and activate once it spins, abandoned
    at the first request from outside and never repeated.
    """

    _withheld: Set[Subscription] = frozenset()

    def _LifecycleNodeMixin__on_change_state(  # noqa: N802 - rclpy's mangled name
        self, request: ChangeState.Request, response: ChangeState.Response
    ) -> ChangeState.Response:
        self.abandon_autostart()
        try:
            return super()._LifecycleNodeMixin__on_change_state(request, response)
        except RCLError as error:
            self.get_logger().error(f'transition {request.transition.id} refused: {error}')
            response.success = False
            return response

    def withhold(self, subscription: Subscription) -> None:
        """Let no executor take the messages of a subscription."""
        self._withheld = {*self._withheld, subscription}
        self._withheld &= set(super().subscriptions)

    @property
    def subscriptions(self) -> Iterator[Subscription]:
        """Get those whose messages an executor is to take."""
        return (each for each in super().subscriptions if each not in self._withheld)

    def start_when_spinning(self) -> None:
        """Configure on the first spin and activate on the next, unless somebody else does."""
        steps = [self.trigger_configure, self.trigger_activate]

        def step() -> None:
            if steps.pop(0)() != TransitionCallbackReturn.SUCCESS:
                self.get_logger().error('autostart gave up: mend the cause, then configure again')
                steps.clear()
            if not steps:
                self.abandon_autostart()

        self._autostart = self.create_timer(0.001, step, clock=STEADY)

    def abandon_autostart(self) -> None:
        """Leave every further transition to others."""
        if getattr(self, '_autostart', None) is not None:
            self._autostart.cancel()
            self.destroy_timer(self._autostart)
            self._autostart = None
