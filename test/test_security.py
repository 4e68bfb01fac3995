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

"""The policy for SROS 2 allows what the node does, and the documentation says so."""

from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
import xml.etree.ElementTree as ET

import pytest

ROOT = Path(__file__).parents[1]
POLICY = ROOT / 'config' / 'sros2.policy.xml'


def allowed(kind: str, way: str) -> list[str]:
    """Return the names that a node `/segmentation` may use in a way, in full."""
    profile = ET.parse(POLICY).getroot().find('enclaves/enclave/profiles/profile')
    assert profile is not None
    assert profile.attrib == {'ns': '/', 'node': 'segmentation'}
    names = [
        item.text or '' for group in profile.findall(f'{kind}s') if group.get(way) == 'ALLOW'
        for item in group
    ]
    return [
        name if name.startswith('/') else f'/segmentation/{name[1:]}' if name[0] == '~'
        else f'/{name}' for name in names
    ]


def test_the_policy_is_of_the_form_that_sros2_reads() -> None:
    root = ET.parse(POLICY).getroot()
    assert (root.tag, root.get('version')) == ('policy', '0.2.0')
    assert [item.get('path') for item in root.findall('enclaves/enclave')] == ['/segmentation']


@pytest.mark.ros
def test_all_that_the_node_opens_is_allowed(
    ros: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from rclpy.parameter import Parameter
    from seg_ros.ros import manager_bond
    from seg_ros.ros.node import SegmentationNode

    # The bond of a stand-in where bondpy is not installed: both open the same topic.
    monkeypatch.syspath_prepend(str(ROOT / 'test' / 'fakes' / 'bond'))
    monkeypatch.setattr(manager_bond, 'Bond', import_module('bondpy.bondpy').Bond)
    unasked = [Parameter('lazy', value=False)]  # or it would listen to nobody
    node = SegmentationNode(context=ros, parameter_overrides=unasked)
    try:
        node.trigger_configure()
        node.trigger_activate()
        node_name = node.get_fully_qualified_name()
        # Of the node itself: the graph hears of them later, and not always.
        nodes = (node, node._bond._bond_node)
        published = [item.topic_name for each in nodes for item in each.publishers]
        read = [
            each.resolve_topic_name(item.topic_name)
            for each in nodes for item in each.subscriptions
        ]
        services = [
            each.resolve_service_name(item.srv_name) for each in nodes for item in each.services
        ]
    finally:
        node.release()
        node.destroy_node()
    published.append(f'{node_name}/transition_event')   # which rcl opens itself
    published.append('/tf')     # once somebody reads scan
    assert len(published) > 30
    assert len(services) > 5
    assert len(read) >= 2
    for names, patterns in (
        (published, allowed('topic', 'publish')), (read, allowed('topic', 'subscribe')),
        (services, allowed('service', 'reply')),
    ):
        for item in names:
            assert any(fnmatch(item, pattern) for pattern in patterns), item


def test_the_documentation_names_what_is_read() -> None:
    text = (ROOT / 'docs' / 'security.md').read_text(encoding='utf-8')
    for topic in allowed('topic', 'subscribe'):
        if topic != '/parameter_events':
            assert topic.replace('/segmentation/', '~/').replace('camera/', '<camera>/').replace(
                '/<camera>', '<camera>').replace('~<', '~/<') in text, topic
