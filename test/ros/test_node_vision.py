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

"""vision_msgs over DDS, if installed: ids, and class names for late subscribers."""

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from robot import pixels
from sensor_msgs.msg import Image
from test_node_depth import depth_message

msg = pytest.importorskip('vision_msgs.msg', reason='vision_msgs is not installed')

CLASSICAL = {'engine': 'classical', 'model': 'otsu'}
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def discs(*centers):
    """Paint bright discs of radius 10 on a dark table."""
    rows, columns = np.indices((120, 160))
    image = np.full((120, 160, 3), 30, np.uint8)
    for x, y in centers:
        image[(columns - x) ** 2 + (rows - y) ** 2 < 100] = 220
    return image


def test_detections_in_two_and_three_dimensions_have_the_ids_of_the_mask(robot):
    each = robot(**CLASSICAL)
    kinds = {
        'instance': Image, 'detections': msg.Detection2DArray,
        'detections_3d': msg.Detection3DArray,
    }
    found = {
        topic: each.listen(f'/segmentation/camera/{topic}', kind) for topic, kind in kinds.items()
    }
    image = each.image(discs((40, 40), (120, 80)), 1_000_000_000)
    each.send(each.info(image), '/camera/camera_info')
    camera = each.wait(lambda: each.node._pipeline, 'the node').cameras['camera']
    each.wait(lambda: camera._info is not None, 'camera_info')
    each.wait(lambda: len(camera.publishers.wanted()) == len(kinds), 'the readers')
    depth = depth_message(each, 1_000_000_000, size=(120, 160))
    each.send(depth, '/camera/depth_registered/image_rect')
    each.send(image)
    each.wait(lambda: all(found.values()), 'all three')
    ids = {str(number) for number in np.unique(pixels(found['instance'][0])) if number}
    assert len(ids) == 2
    for topic in ('detections', 'detections_3d'):
        assert {item.id for item in found[topic][0].detections} == ids
        assert found[topic][0].header == image.header


@pytest.mark.parametrize('topic', ['label_info', 'nav2/label_info'])
def test_who_comes_late_gets_the_names(robot, topic):
    each = robot()
    each.mask(each.listen('/segmentation/camera/semantic', Image))
    found = each.listen(f'/segmentation/camera/{topic}', msg.LabelInfo, LATCHED)
    (info,) = each.wait(lambda: found, 'the names')
    assert [(item.class_id, item.class_name) for item in info.class_map] == [
        (10, 'red'), (20, 'green'), (30, 'blue'),
    ]
