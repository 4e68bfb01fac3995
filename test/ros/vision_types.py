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

"""
A stand-in for the vision_msgs Python package, made from its field lists.

The package is not on PyPI. The type hashes that ROS computes over a definition prove that these
lists are the real ones: `test_vision` compares them with those of the released package.
"""

from collections.abc import Callable
import types
from typing import Any

from rosbags.interfaces import Nodetype
from rosbags.typesys import get_types_from_msg, get_typestore, Stores

FIELDS = {
    'Point2D': 'float64 x\nfloat64 y',
    'Pose2D': 'vision_msgs/Point2D position\nfloat64 theta',
    'BoundingBox2D': 'vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y',
    'ObjectHypothesis': 'string class_id\nfloat64 score',
    'ObjectHypothesisWithPose':
        'vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose',
    'Detection2D':
        'std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n'
        'vision_msgs/BoundingBox2D bbox\nstring id',
    'Detection2DArray': 'std_msgs/Header header\nvision_msgs/Detection2D[] detections',
    'BoundingBox3D': 'geometry_msgs/Pose center\ngeometry_msgs/Vector3 size',
    'Detection3D':
        'std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n'
        'vision_msgs/BoundingBox3D bbox\nstring id',
    'Detection3DArray': 'std_msgs/Header header\nvision_msgs/Detection3D[] detections',
    'VisionClass': 'uint16 class_id\nstring class_name',
    'LabelInfo':
        'std_msgs/Header header\nvision_msgs/VisionClass[] class_map\nfloat32 threshold',
}
RIHS01 = {
    'Detection2DArray': '214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968',
    'LabelInfo': '3d37df4015cdf660cc851c51897f2acd957e1ca6205ba0a99aebffb9406b0783',
}

store = get_typestore(Stores.ROS2_JAZZY)
for name, text in FIELDS.items():
    store.register(get_types_from_msg(text, f'vision_msgs/msg/{name}'))


def _default(field: Any, made: dict[str, type]) -> Callable[[], Any]:
    kind, detail = field
    if kind == Nodetype.NAME:
        return made.get(detail) or _message(detail, made)
    if kind == Nodetype.BASE:
        return str if detail[0] == 'string' else float if detail[0].startswith('float') else int
    return list


def _message(full_name: str, made: dict[str, type]) -> type:
    """Make a class with the type's fields as slots, so that a wrong field name raises."""
    fields = store.fielddefs[full_name][1]
    defaults = {name: _default(field, made) for name, field in fields}

    def __init__(self: Any, **values: Any) -> None:  # noqa: N807
        for name, make in defaults.items():
            setattr(self, name, values.pop(name) if name in values else make())
        if values:
            raise TypeError(f'no fields {list(values)}')

    made[full_name] = type(
        full_name.rpartition('/')[2], (), {'__slots__': tuple(defaults), '__init__': __init__}
    )
    return made[full_name]


def vision_msgs() -> types.ModuleType:
    """Return a module that stands in for `vision_msgs.msg`."""
    module = types.ModuleType('vision_msgs.msg')
    made: dict[str, type] = {}
    for name in FIELDS:
        setattr(module, name, _message(f'vision_msgs/msg/{name}', made))
    return module
