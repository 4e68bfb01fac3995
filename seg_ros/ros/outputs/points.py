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

"""Labelled clouds, object clouds and oriented boxes."""

from typing import Any

from geometry_msgs.msg import Vector3
from rclpy.duration import Duration
from seg_ros.depth.boxes import OrientedBox
from seg_ros.depth.objects import joined, ObjectCloud
from seg_ros.ros.conversions import cloud_message, pose_message
from seg_ros.ros.depth_view import DepthView
from seg_ros.ros.outputs.vision import hypothesis, MISSING
from seg_ros.ros.publishers import DEPTH, MAPS, Output
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

if not MISSING:
    from vision_msgs.msg import Detection3D, Detection3DArray

_LIFETIME = Duration(seconds=0, nanoseconds=500_000_000)


def strided_points(view: DepthView) -> PointCloud2:
    """Return an organised cloud of every `cloud_stride`-th pixel."""
    return cloud_message(view.strided_cloud, view.header)


def _object_points(view: DepthView) -> PointCloud2:
    return cloud_message(joined(view.objects), view.header)


def _detections_3d(view: DepthView) -> Any:
    message = Detection3DArray(header=view.header)
    message.detections = [
        _detection(item, item.box, view) for item in view.objects if item.box is not None
    ]
    return message


def _detection(item: ObjectCloud, box: OrientedBox, view: DepthView) -> Any:
    detection = Detection3D(header=view.header, id=str(item.segment.id))
    detection.bbox.center = pose_message(box.centre, box.axes)
    x, y, z = box.size_m.tolist()
    detection.bbox.size = Vector3(x=x, y=y, z=z)
    detection.results = [hypothesis(item.segment, view.card)]
    detection.results[0].pose.pose = pose_message(box.centre, box.axes)
    return detection


def _markers(view: DepthView) -> MarkerArray:
    """Return boxes and names, which expire unless a newer frame contains the object."""
    message = MarkerArray()
    for item in view.objects:
        if item.box is not None:
            message.markers += _markers_of(item, item.box, view)
    return message


def _markers_of(item: ObjectCloud, box: OrientedBox, view: DepthView) -> list[Marker]:
    info = view.card.by_id[item.segment.class_id]
    red, green, blue = (value / 255 for value in info.color)
    shared = {'header': view.header, 'id': item.segment.id, 'lifetime': _LIFETIME.to_msg()}
    pose, top = (pose_message(box.centre, box.axes) for _ in range(2))
    x, y, z = box.size_m.tolist()
    cube = Marker(
        ns='boxes', type=Marker.CUBE, pose=pose, scale=Vector3(x=x, y=y, z=z),
        color=ColorRGBA(r=red, g=green, b=blue, a=0.5), **shared,
    )
    top.position.y -= float(max(box.size_m)) / 2    # up in the image
    text = Marker(
        ns='names', type=Marker.TEXT_VIEW_FACING, pose=top, scale=Vector3(x=0.0, y=0.0, z=0.04),
        color=ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0), text=f'{info.name} {item.segment.id}',
        **shared,
    )
    return [cube, text]


POINTS: tuple[Output, ...] = (
    Output('points', PointCloud2, MAPS, strided_points, DEPTH),
    Output('objects/points', PointCloud2, MAPS, _object_points, DEPTH),
    Output('objects/markers', MarkerArray, MAPS, _markers, DEPTH),
    *(() if MISSING else (
        Output('detections_3d', Detection3DArray, MAPS, _detections_3d, DEPTH),
    )),
)
