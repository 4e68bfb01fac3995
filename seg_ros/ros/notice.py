"""Word of messages that stay with the middleware until somebody wants the newest."""

from collections.abc import Callable
from typing import Any

from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.waitable import NumberOfEntities, Waitable


def hears_of_events(node: Node) -> bool:
    """
    Tell whether a node's executor is told of each message once.

    Others look again and again whether there are any, and would not come to rest before one is
    taken.
    """
    return node.executor is not None and not isinstance(node.executor, Executor)


class Notice(Waitable):
    """
    Tells of each message of a subscription, which it does not take.

    An executor takes every message that it hears of, also those that give way to a newer one
    before anybody has looked at them: for a picture of 1280x720, two copies and some 2 ms.

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
        subscription, newest = self._subscription, None
        try:
            with subscription.handle:
                while taken := subscription.handle.take_message(subscription.msg_type, False):
                    newest = taken[0]
        except InvalidHandle:   # unsubscribed in between
            return None
        return newest

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
