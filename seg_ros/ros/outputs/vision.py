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

"""Outputs of vision_msgs types, where that package is installed."""

from typing import Any

from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import Segment
from seg_ros.ros.publishers import Output, View
from std_msgs.msg import Header

try:
    from vision_msgs.msg import (
        Detection2D,
        Detection2DArray,
        LabelInfo,
        ObjectHypothesisWithPose,
        VisionClass,
    )

    MISSING = ''
except Exception as error:  # noqa: BLE001 - a broken installation may raise anything
    MISSING = (
        f'no label_info, nav2/label_info, detections, detections_3d and prompts: {error}; '
        'apt install ros-$ROS_DISTRO-vision-msgs'
    )


def label_info(card: ModelCard, header: Header, threshold: float) -> Any:
    """Return the names of the card's classes; other ids are unlabelled pixels."""
    message = LabelInfo(header=header, threshold=threshold)
    message.class_map = [
        VisionClass(class_id=item.id, class_name=item.name) for item in card.classes
    ]
    return message


def _detections(view: View) -> Any:
    message = Detection2DArray(header=view.header)
    message.detections = [_detection(segment, view) for segment in view.segmentation.segments]
    return message


def _detection(segment: Segment, view: View) -> Any:
    """Return one segment as a detection, in pixels of the published masks."""
    x0, y0, x1, y1 = (edge / view.step for edge in segment.xyxy)
    detection = Detection2D(header=view.header, id=str(segment.id))
    detection.bbox.center.position.x = (x0 + x1) / 2
    detection.bbox.center.position.y = (y0 + y1) / 2
    detection.bbox.size_x = x1 - x0
    detection.bbox.size_y = y1 - y0
    detection.results = [hypothesis(segment, view.card)]
    return detection


def hypothesis(segment: Segment, card: ModelCard) -> Any:
    """Return a segment's class and score as a vision_msgs ObjectHypothesisWithPose."""
    result = ObjectHypothesisWithPose()
    result.hypothesis.class_id = card.by_id[segment.class_id].name
    result.hypothesis.score = segment.score
    return result


VISION = () if MISSING else (
    Output('detections', Detection2DArray, frozenset({'segments'}), _detections),
)
