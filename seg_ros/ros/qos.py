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

"""Quality of service, named by purpose."""

from collections.abc import Iterator
from contextlib import contextmanager

from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from seg_ros.core.errors import SettingError


def mask_qos() -> QoSProfile:
    """
    Return the QoS of masks.

    RViz and most consumers request reliable; a reliable publisher serves best-effort subscribers
    too. Each call returns a new profile: rclpy writes a topic's `qos_overrides` into it.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE
    )


def latched_qos() -> QoSProfile:
    """Return the QoS of a latched topic."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=1,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )


def image_qos(reliable: bool) -> QoSProfile:
    """Return the QoS of image subscriptions: the newest image only."""
    kind = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=kind)


def wants_reliable(node: Node, topic: str, asked: str) -> bool:
    """
    Return whether a subscription is to request reliable delivery.

    :param asked: the parameter input_reliability.
    """
    return offers_reliable(node, topic) if asked == 'auto' else asked == 'reliable'


def offers_reliable(node: Node, topic: str) -> bool:
    """
    Return whether every publisher of a topic offers reliable delivery.

    A publisher that does not is never matched with a reliable subscription.
    """
    publishers = node.get_publishers_info_by_topic(topic)
    return bool(publishers) and all(
        publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE for publisher in publishers
    )


@contextmanager
def qos_override_errors(topic: str) -> Iterator[None]:
    """
    Turn errors of a topic's `qos_overrides` parameters into SettingError.

    :raises SettingError: if they are invalid; rclpy raises several kinds of errors.
    """
    try:
        yield
    except (ParameterException, RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise SettingError(
            f'{topic} cannot be opened ({error})',
            'qos_overrides such as reliability: best_effort, history: keep_last, depth: 5',
        ) from error
