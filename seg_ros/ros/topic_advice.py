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

"""Explanations from the ROS graph: why a topic has no messages or no matching subscriber."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from seg_ros.core.timing import Timing

RAW, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
INFO_TYPE = 'sensor_msgs/msg/CameraInfo'
UNKNOWN = '_NODE_NAME_UNKNOWN_'    # rmw's name of a node that is not discovered yet
NAMELESS = 'a node whose name is not known yet'
NEIGHBOURS = 3      # topics that are suggested
JUDGED_S = 2.5      # of camera_infos, before rates are compared
SLOW_SHARE = 0.8    # of the rate of camera_infos; images that arrive less often are lost
# Fast DDS has 512 kB of shared memory a process: smaller images always fit.
LARGE_BYTES = 400_000
PROFILE = 'FASTRTPS_DEFAULT_PROFILES_FILE set to share/seg_ros/config/fastdds.xml'


@dataclass(frozen=True)
class Input:
    """
    A kind of data that a camera sends on a topic.

    :param noun: what a warning calls its messages; `singular` is one of them.
    :param types: message types of the topics that a warning may suggest.
    :param part: what the names of these topics contain.
    :param remedies: what to do about a topic whose type is not subscribed to, by its type.
    :param large: whether messages are large enough to be lost in transport.
    """

    noun: str
    singular: str
    types: frozenset[str]
    part: str
    remedies: Mapping[str, str] = field(default_factory=dict)
    large: bool = True


IMAGE_INPUT = Input('images', 'image', frozenset({RAW, COMPRESSED}), '', {
    RAW: 'set image_transport to raw', COMPRESSED: 'set image_transport to compressed',
})
DEPTH_INPUT = Input('depth', 'depth image', frozenset({RAW, COMPRESSED}), 'depth', {
    COMPRESSED:
        'depth is read uncompressed: remap to its raw topic, or decompress it with republish of '
        'image_transport',
})
INFO_INPUT = Input('camera_info', 'camera_info', frozenset({INFO_TYPE}), '', large=False)


def namesakes(node: Node) -> str:
    """Warn of another node with the same name: a request may reach either of them, or both."""
    own = (node.get_name(), node.get_namespace())
    if node.get_node_names_and_namespaces().count(own) < 2:
        return ''
    return (
        f'another node is called {node.get_fully_qualified_name()} too: it takes requests meant '
        'for this one; give one of them another name or namespace, or another ROS_DOMAIN_ID'
    )


def why_nothing_arrives(
    node: Node, topic: str, kind: str, reliable: bool, last_s: float | None = None,
    what: Input = IMAGE_INPUT,
) -> str:
    """
    Return why a subscription gets no messages, and what to do.

    :param topic: full name of the topic that is subscribed to.
    :param kind: message type of the subscription.
    :param reliable: whether the subscription asks for reliable delivery.
    :param last_s: seconds since the last message; None where none has arrived yet.
    """
    publishers = node.get_publishers_info_by_topic(topic)
    others = {item.topic_type for item in publishers} - {kind}
    right = [item for item in publishers if item.topic_type == kind]
    if not publishers:
        return f'nobody publishes {topic}; {_neighbours(node, topic, kind, what)}'
    if not right:
        types = ' and '.join(sorted(others))
        fault = f'{topic} is published as {types}, not {kind}'
        return _with_remedy(fault, next(iter(others)), what)
    if reliable and all(
        item.qos_profile.reliability != ReliabilityPolicy.RELIABLE for item in right
    ):
        return (
            f'{topic} has a publisher without reliable delivery, which input_reliability asks '
            'for: set it to auto or best_effort'
        )
    names = ', '.join(sorted({_name(item) for item in right}))
    if last_s is not None:
        return (
            f'{names} publishes {topic}, but the last {what.singular} came {last_s:.0f} s ago: '
            'see to the camera and its driver'
        )
    if not what.large:
        return f'{names} publishes {topic}, but nothing arrives: it sends nothing'
    return (
        f'{names} publishes {topic}, but nothing arrives: it sends nothing, or large images are '
        f'lost in transport; then start it with {PROFILE}'
    )


def several_publishers(node: Node, topic: str, kind: str) -> str:
    """Warn of more than one publisher of a topic, such as a driver that was started twice."""
    if node.count_publishers(topic) < 2:    # far cheaper than the query below
        return ''
    publishers = node.get_publishers_info_by_topic(topic)
    names = sorted(_name(item) for item in publishers if item.topic_type == kind)
    if len(names) < 2 or NAMELESS in names:     # all names may be known at the next query
        return ''
    return (
        f'{topic} has {len(names)} publishers, {", ".join(names)}: where more than one sends, '
        'masks are of all their images in turn; give each a topic of its own'
    )


def incompatible_subscriber(node: Node, publishers: Iterable[Any]) -> str:
    """
    Name a subscriber that gets nothing because its type or QoS does not match the publisher's.

    :param publishers: publishers of `node`.
    """
    for publisher in publishers:
        topic = publisher.topic_name
        # Counting subscribers is far cheaper than asking who they are.
        if node.count_subscribers(topic) > publisher.get_subscription_count():
            for subscriber in node.get_subscriptions_info_by_topic(topic):
                if words := _incompatibility(subscriber, publisher):
                    return f'{_name(subscriber)} gets nothing from {topic}: {words}'
    return ''


def _incompatibility(subscriber: Any, publisher: Any) -> str:
    """Return why a subscriber's type or QoS does not match a publisher's; empty if both match."""
    own, asked, offered = publisher.msg_type, subscriber.qos_profile, publisher.qos_profile
    kind = f'{own.__module__.partition(".")[0]}/msg/{own.__name__}'
    if subscriber.topic_type != kind:
        return f'it reads {subscriber.topic_type}, published is {kind}'
    if (asked.durability, offered.durability) == (
        DurabilityPolicy.TRANSIENT_LOCAL, DurabilityPolicy.VOLATILE,
    ):
        return (
            'it asks for durability transient_local, offered is volatile: set the subscriber to '
            'volatile, or qos_overrides of this topic'
        )
    if (asked.reliability, offered.reliability) == (
        ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT,
    ):
        return (
            'it asks for reliable delivery, offered is best effort: set the subscriber to best '
            'effort, or qos_overrides of this topic'
        )
    return ''


def _name(endpoint: Any) -> str:
    """Return the full name of a publisher's or subscriber's node, or `NAMELESS`."""
    if endpoint.node_name == UNKNOWN:
        return NAMELESS
    return f'{endpoint.node_namespace.rstrip("/")}/{endpoint.node_name}'


def _neighbours(node: Node, topic: str, kind: str, what: Input) -> str:
    """Suggest topics that the user may have meant, the most similar name first."""
    own = f'{node.get_fully_qualified_name()}/'
    read = {subscription.topic_name for subscription in node.subscriptions}     # by other cameras
    kinds = {
        name: types for name, types in node.get_topic_names_and_types()
        if not name.startswith(own) and name not in read and what.part in name
        and node.count_publishers(name) and what.types.intersection(types)
    }
    twin = f'{topic}/compressed' if kind == RAW else topic.removesuffix('/compressed')
    if twin != topic and twin in kinds and kind not in kinds[twin]:
        return _with_remedy(f'{twin} is published', kinds[twin][0], what)
    same = [name for name, types in kinds.items() if kind in types]
    others = [name for name in kinds if name not in same]
    if not kinds:
        return f'there is no other topic of {what.noun} to remap to'
    if same:
        return f'published are {_alike(topic, same)}: remap to one of them'
    return _with_remedy(f'published are {_alike(topic, others)}', kinds[others[0]][0], what)


def _alike(topic: str, names: list[str]) -> str:
    close = get_close_matches(topic, names, NEIGHBOURS, 0.0)
    return ', '.join(close + ['…'] * (len(names) > len(close)))


def _with_remedy(fault: str, kind: str, what: Input) -> str:
    """Add what to do about a topic of type `kind` to a sentence, if anything can be done."""
    remedy = what.remedies.get(kind)
    return f'{fault}: {remedy}' if remedy else fault


def images_lost(topic: str, timing: Timing, image_bytes: int) -> str:
    """
    Warn of large images that arrive far less often than their camera_infos.

    Small images are never reported: where they arrive less often, their topic is throttled. Large
    ones need the shared-memory profile of Fast DDS in the camera driver's process.

    :param timing: counts images as `input` and camera_infos as `info`.
    :param image_bytes: size of the last image.
    """
    images_hz, infos_hz = timing.rate_hz('input'), timing.rate_hz('info')
    if image_bytes < LARGE_BYTES or timing.heard_s('info') < JUDGED_S:
        return ''
    if infos_hz < 1 or images_hz >= SLOW_SHARE * infos_hz:
        return ''
    return (
        f'{topic} arrives at {images_hz:.1f} Hz, its camera_info at {infos_hz:.1f} Hz: if the '
        f'topic is not throttled, images are lost in transport; then start the camera driver with '
        f'{PROFILE}'
    )
