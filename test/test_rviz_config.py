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

"""RViz knows every class and property that its configuration names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CONFIG = Path(__file__).parents[1] / 'config' / 'segmentation.rviz'

# What RViz of Humble to Kilted registers under these names, of what we use and would use.
CLASSES = {
    'rviz_common/Displays', 'rviz_common/Selection', 'rviz_common/Time',
    'rviz_common/Tool Properties', 'rviz_common/Views',
    'rviz_default_plugins/Camera', 'rviz_default_plugins/Grid', 'rviz_default_plugins/Image',
    'rviz_default_plugins/MarkerArray', 'rviz_default_plugins/PointCloud2',
    'rviz_default_plugins/TF',
    'rviz_default_plugins/Interact', 'rviz_default_plugins/MoveCamera',
    'rviz_default_plugins/Select',
    'rviz_default_plugins/FPS', 'rviz_default_plugins/Orbit',
}
IMAGE = {
    'Class', 'Enabled', 'Max Value', 'Median window', 'Min Value', 'Name', 'Normalize Range',
    'Topic', 'Value',
}
TOPIC = {
    'Depth', 'Durability Policy', 'Filter size', 'History Policy', 'Reliability Policy', 'Value',
}


def settings() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding='utf-8'))
    return values


def classes(node: Any) -> Iterator[str]:
    """Give every plugin that a part of the configuration asks for."""
    if isinstance(node, dict):
        if node.get('Class'):
            yield node['Class']
        node = list(node.values())
    for part in node if isinstance(node, list) else ():
        yield from classes(part)


def displays() -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = settings()['Visualization Manager']['Displays']
    return shown


def test_every_class_is_one_of_rviz() -> None:
    named = set(classes(settings()))
    assert 'rviz_default_plugins/Image' in named
    assert named <= CLASSES


def test_every_property_of_a_display_is_one_of_rviz() -> None:
    for display in displays():
        assert display['Class'] == 'rviz_default_plugins/Image'
        assert set(display) <= IMAGE
        assert set(display['Topic']) <= TOPIC


def test_overlay_classes_and_camera_are_shown_by_a_qos_that_matches_their_publishers() -> None:
    shown = {item['Topic']['Value']: item['Topic']['Reliability Policy'] for item in displays()}
    assert shown == {
        '/segmentation/camera/overlay': 'Reliable',
        '/segmentation/camera/color': 'Reliable',
        '/camera/image_raw': 'Best Effort',
    }
    assert all(item['Enabled'] and item['Value'] for item in displays())
    assert {item['Topic']['Durability Policy'] for item in displays()} == {'Volatile'}
