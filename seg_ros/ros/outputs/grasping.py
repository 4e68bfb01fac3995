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

"""Outputs for grasping: the target, the scene without it, and top-down grasps."""

from geometry_msgs.msg import PoseArray
import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.cloud import POINT
from seg_ros.depth.grasps import top_down_grasps
from seg_ros.depth.morphology import dilated
from seg_ros.depth.registration import has_depth
from seg_ros.depth.static import static_depth
from seg_ros.depth.targets import target_points
from seg_ros.ros.conversions import (
    cloud_message,
    image_message,
    mono8_from_mask,
    pose_message,
)
from seg_ros.ros.depth_view import DepthView
from seg_ros.ros.outputs.images import image_camera_info
from seg_ros.ros.publishers import DEPTH, MAPS, Output
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

_STEP = 2   # every second pixel is checked as an obstacle for the gripper


def _target_mask(view: DepthView) -> NDArray[np.uint8]:
    """Return 255 at the target's pixels; the mask is empty if the target is not in view."""
    return mono8_from_mask(view.target_mask)


def _target_points(view: DepthView) -> PointCloud2:
    """Return the target's points as in `objects/points`, without its edge."""
    own = [item.points for item in view.objects if item.segment is view.target]
    points = own[0] if own else target_points(view.cloud, view.target_mask)
    return cloud_message(points, view.header)


def _scene_depth(view: DepthView) -> Image:
    """Return the depth without the target and its edge, which would be obstacles to grasping."""
    mask = dilated(view.target_mask, view.settings.edge_erosion_px)
    depth = static_depth(view.depth.raw, mask)
    return image_message(depth, view.header, view.depth.encoding)


def _grasps(view: DepthView) -> PoseArray:
    """Return grasps on the target if one is set, else on all graspable objects."""
    surroundings = view.cloud.view(f'V{POINT.itemsize}')[::_STEP, ::_STEP]
    points = surroundings[has_depth(view.metres[::_STEP, ::_STEP])].view(POINT)
    graspable = view.card.ids_with_role('graspable') or frozenset(view.card.by_id)
    chosen = [
        item for item in view.objects
        if item.segment is view.target
        or (not view.settings.target and item.segment.class_id in graspable)
    ]
    found = top_down_grasps(chosen, points)
    poses = [pose_message(grasp.position, grasp.axes) for grasp in found]
    return PoseArray(header=view.header, poses=poses)


GRASPING = (
    Output('target/mask', Image, MAPS, _target_mask, DEPTH),
    Output('target/points', PointCloud2, MAPS, _target_points, DEPTH),
    Output('scene/depth', Image, MAPS, _scene_depth, DEPTH),
    # Next to the depth, where camera subscribers of image_transport expect it.
    Output('scene/camera_info', CameraInfo, frozenset(), image_camera_info),
    Output('grasp_poses', PoseArray, MAPS, _grasps, DEPTH),
)
