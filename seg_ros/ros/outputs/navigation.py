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

"""Outputs for navigation: obstacles, ground, scan, free space and Nav2's segmentation layer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import MapName
from seg_ros.depth.cloud import POINT
from seg_ros.depth.free_space import free_space, Grid
from seg_ros.depth.ground import GroundSegmentation
from seg_ros.depth.scan import laser_scan
from seg_ros.ros.conversions import cloud_message
from seg_ros.ros.depth_view import DepthView
from seg_ros.ros.outputs.points import strided_points
from seg_ros.ros.publishers import CLASSES, DEPTH, MAPS, Output
from sensor_msgs.msg import Image, LaserScan, PointCloud2
from std_msgs.msg import Header

try:
    from nav_msgs.msg import OccupancyGrid

    MISSING = ''
except ImportError as error:
    MISSING = f'no free_space: {error}; apt install ros-$ROS_DISTRO-nav-msgs'


def _obstacles(view: DepthView) -> PointCloud2 | None:
    ground = view.strided_ground
    return None if ground is None else _cloud(view, ground.obstacle)


def _ground(view: DepthView) -> PointCloud2 | None:
    ground = view.strided_ground
    return None if ground is None else _cloud(view, ground.ground)


def _cloud(view: DepthView, mask: NDArray[np.bool_]) -> PointCloud2:
    records = view.strided_cloud.reshape(-1).view(f'V{POINT.itemsize}')
    return cloud_message(records[mask.reshape(-1)].view(POINT), view.header)


def _scan(view: DepthView) -> LaserScan | None:
    ground = view.coarse_ground
    if ground is None:
        return None
    scan = laser_scan(ground)
    message = LaserScan(
        header=Header(stamp=view.header.stamp, frame_id=scan_frame(view.header.frame_id)),
        angle_min=scan.angle_min, angle_increment=scan.angle_increment,
        angle_max=scan.angle_min + scan.angle_increment * (len(scan.ranges_m) - 1),
        range_min=0.0, range_max=view.settings.max_depth_m,
    )
    message.ranges.frombytes(scan.ranges_m.astype('<f4').tobytes())
    return message


def scan_frame(optical: str) -> str:
    """Return the name of the frame on the ground below a camera, x forward."""
    return f'{optical}_ground'


def _free_space(view: DepthView) -> Any:
    ground = view.coarse_ground
    transform = view.base_from_optical
    if ground is None or transform is None:
        return None
    return _grid_message(view, ground, transform)


def _grid_message(
    view: DepthView, ground: GroundSegmentation, transform: NDArray[np.float64]
) -> Any:
    grid = Grid()
    message = OccupancyGrid(
        header=Header(stamp=view.header.stamp, frame_id=view.settings.base_frame)
    )
    message.info.map_load_time = view.header.stamp
    message.info.resolution = grid.cell_m
    message.info.width = message.info.height = grid.size
    message.info.origin.position.x = message.info.origin.position.y = -grid.reach_m
    message.info.origin.orientation.w = 1.0
    message.data.frombytes(free_space(ground, transform, grid).tobytes())
    return message


def _nav2_mask(view: DepthView) -> NDArray[Any] | None:
    """Return class ids; None for a card with 16-bit ids, as the layer reads bytes."""
    classes = _strided(view, 'classes')
    return classes if classes.dtype == np.uint8 else None


def _nav2_confidence(view: DepthView) -> NDArray[Any]:
    return _strided(view, 'confidence')


def _strided(view: DepthView, name: MapName) -> NDArray[Any]:
    """Return a map's values at the pixels of `strided_points`."""
    step = view.settings.cloud_stride
    return view.segmentation.part(name)[::step, ::step]


NAVIGATION: tuple[Output, ...] = (
    Output('obstacles/points', PointCloud2, MAPS, _obstacles, DEPTH),
    Output('ground/points', PointCloud2, MAPS, _ground, DEPTH),
    Output('scan', LaserScan, CLASSES, _scan, DEPTH),
    *(() if MISSING else (
        Output('free_space', OccupancyGrid, CLASSES, _free_space, DEPTH),
    )),
)
# The layer drops a mask whose cloud has another size or stamp, so all three need depth.
NAV2 = (
    Output('nav2/mask', Image, CLASSES, _nav2_mask, DEPTH),
    Output('nav2/confidence', Image, CLASSES | {'confidence'}, _nav2_confidence, DEPTH),
    Output('nav2/points', PointCloud2, MAPS, strided_points, DEPTH),
)
