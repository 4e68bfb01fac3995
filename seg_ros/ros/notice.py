"""Word of messages that stay with the middleware until somebody wants the newest."""

from collections.abc import Callable
from ctypes import c_int, c_void_p, CDLL
from functools import cache
import os
from typing import Any

from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.waitable import NumberOfEntities, Waitable
from seg_ros.ros.pixels import take_newest


def hears_of_events(node: Node) -> bool:
    """
    Tell whether a node's executor is told of each message once.

    Others look again and again whether there are any, and would not come to rest before one is
    taken.
    """
    hears = node.executor is not None and not isinstance(node.executor, Executor)
    return hears and _listener_setter() is not None


@cache
def _listener_setter() -> Callable[[int, None, None], int] | None:
    """
    Return rcl's function that says who is told of a subscription's messages; rclpy has none.

    :returns: None where rcl goes by another name.
    """
    try:
        setter = CDLL('librcl.so', os.RTLD_NOLOAD).rcl_subscription_set_on_new_message_callback
    except (OSError, AttributeError):
        return None
    setter.argtypes, setter.restype = (c_void_p, c_void_p, c_void_p), c_int
    return setter


class Notice(Waitable):
    """
    Tells of each message of a subscription, which it does not take.

    An executor takes every message that it hears of, also those that give way to a newer one
    before anybody has looked at them, which copies each several times.

    :param subscription: whose messages no executor may take; see `SafeLifecycleNode.withhold`.
    :param arrived: called in the executor's thread, once a message.
    """

    def __init__(self, subscription: Subscription, arrived: Callable[[], None]) -> None:
        super().__init__(subscription.callback_group)
        self._subscription = subscription
        self._arrived = arrived

    def take(self) -> Any:
        """
        Take the newest message, from any thread.

        :returns: None if there is none: it was taken upon an earlier word, or is no longer wanted.
        """
        try:
            return take_newest(self._subscription)
        except InvalidHandle:   # unsubscribed in between
            return None

    def withdraw(self, node: Node) -> None:
        """
        Tell of nothing more and let the subscription go.

        An executor of rclpy that has word of a waitable in its queue when that is removed ends the
        process: it calls `__exit__` without the interpreter's lock (seen in 7.1.6).
        So rcl is told first that nobody listens any more, and the waitable is removed when
        everything that is queued has been worked on.

        :param node: to which notice and subscription belong.
        """
        setter = _listener_setter()
        if setter is not None:
            setter(self._subscription.handle.pointer, None, None)
        node.executor.create_task(self._leave, node)

    def _leave(self, node: Node) -> None:
        node.remove_waitable(self)
        node.destroy_subscription(self._subscription)

    def __enter__(self) -> None:
        """Keep the subscription while the executor may tell of it."""
        self._subscription.handle.__enter__()

    def __exit__(self, *exception: Any) -> None:
        """Let it go."""
        self._subscription.handle.__exit__(*exception)

    def get_num_entities(self) -> NumberOfEntities:
        """Say that there is one subscription to wait for."""
        return NumberOfEntities(num_subs=1)

    def add_to_wait_set(self, wait_set: Any) -> None:
        """Name it."""
        wait_set.add_subscription(self._subscription.handle)

    def is_ready(self, wait_set: Any) -> bool:
        """Agree: the executor asks when it has heard of a message."""
        return True

    def take_data(self) -> None:
        """Pass the word on, and leave the message where it is."""
        self._arrived()

    async def execute(self, taken_data: None) -> None:
        """Do nothing more."""
