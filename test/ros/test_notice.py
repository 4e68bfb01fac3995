"""Messages stay with the middleware until they are wanted, and the newest is what comes."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.notice import hears_of_events, Notice
from std_msgs.msg import String

experimental = pytest.importorskip('rclpy.experimental', reason='no executor that hears of events')

PATIENCE_S = 10


class Listener:
    """A node whose executor is told of messages, and a publisher to it."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = SafeLifecycleNode('listener', context=self.context)
        self.executor = experimental.EventsExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.taken_by_executor: list[Any] = []
        self.words = 0
        self.publisher = self.node.create_publisher(String, 'words', 1)
        self.listen()
        self.spin_until(lambda: self.publisher.get_subscription_count())

    def listen(self) -> None:
        subscription = self.node.create_subscription(
            String, 'words', self.taken_by_executor.append, 1
        )
        self.node.withhold(subscription)
        self.notice = Notice(subscription, self._count)
        self.node.add_waitable(self.notice)

    def _count(self) -> None:
        self.words += 1

    def spin_until(self, condition: Any) -> None:
        end = monotonic() + PATIENCE_S
        while not condition():
            assert monotonic() < end
            self.executor.spin_once(timeout_sec=0.02)

    def say(self, *words: str) -> None:
        """Publish and let the executor hear of each."""
        for word in words:
            before = self.words
            self.publisher.publish(String(data=word))
            self.spin_until(lambda before=before: self.words > before)

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture
def listener() -> Iterator[Listener]:
    each = Listener()
    yield each
    each.close()


def test_every_message_is_told_of_and_the_newest_is_taken(listener):
    listener.say('one', 'two', 'three')
    assert listener.words == 3
    assert listener.notice.take().data == 'three'
    assert listener.notice.take() is None
    listener.say('four')
    assert listener.notice.take().data == 'four'
    assert not listener.taken_by_executor


def test_nothing_is_taken_after_the_subscription_is_gone(listener):
    listener.say('one')
    listener.notice.withdraw(listener.node)
    listener.spin_until(lambda: not listener.publisher.get_subscription_count())
    assert listener.notice.take() is None
    assert listener.notice not in listener.node.waitables


def test_word_that_is_queued_at_the_end_does_no_harm(listener):
    """Removed at once, a waitable with word in the queue ends the process."""
    listener.say('one')
    listener.publisher.publish(String(data='queued'))
    listener.node._wake_executor()      # it looks for what was removed before it hears of this
    listener.notice.withdraw(listener.node)
    listener.publisher.publish(String(data='too late'))
    listener.spin_until(lambda: not listener.publisher.get_subscription_count())
    assert listener.words == 2


def test_a_topic_can_be_left_and_joined_over_and_over(listener):
    for _ in range(20):
        listener.publisher.publish(String(data='queued'))
        listener.notice.withdraw(listener.node)
        listener.listen()
        listener.spin_until(lambda: listener.publisher.get_subscription_count() == 1)
        listener.say('heard')
    assert listener.notice.take().data == 'heard'


def test_an_executor_that_looks_again_and_again_does_not_hear_of_events(listener):
    assert hears_of_events(listener.node)
    other = SafeLifecycleNode('other', context=listener.context)
    assert not hears_of_events(other)
    executor = SingleThreadedExecutor(context=listener.context)
    executor.add_node(other)
    assert not hears_of_events(other)
    executor.shutdown()
    other.destroy_node()


def test_without_a_way_to_withdraw_safely_messages_are_left_to_the_executor(
    listener, monkeypatch
):
    monkeypatch.setattr('seg_ros.ros.notice._listener_setter', lambda: None)
    assert not hears_of_events(listener.node)


def test_other_subscriptions_are_left_to_the_executor(listener):
    heard = []
    other = listener.node.create_subscription(String, 'words', heard.append, 1)
    assert list(listener.node.subscriptions) == [other]
    listener.publisher.publish(String(data='both'))
    listener.spin_until(lambda: heard)
    assert heard[0].data == listener.notice.take().data == 'both'
