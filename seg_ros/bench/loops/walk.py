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

"""Measures odometry in a room with walking people, on several kinds of depth."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from importlib.util import find_spec
from statistics import median
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.bench.loops import rtabmap
from seg_ros.bench.loops.masks import MaskSource
from seg_ros.bench.loops.sequence import Exposure, WalkedRoom
from seg_ros.bench.loops.trajectory import trajectory_error_m
from seg_ros.core.segmentation import marked, Segmentation
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.morphology import dilated
from seg_ros.depth.registration import registered_depth
from seg_ros.depth.static import dynamic_share, static_depth, StaticScene
from seg_ros.sim.classes import CARD

Row: TypeAlias = dict[str, Any]
Depths: TypeAlias = list[NDArray[np.uint16]]
Tracker: TypeAlias = Callable[
    [Sequence[Exposure], Depths, Intrinsics], dict[int, NDArray[np.float64]]
]

IMAGES = 100
RAW, TRUE_MASK = 'raw', 'true mask'
_DILATE_PX, _HOLD_S = 8, 0.5    # the parameters' defaults
_TRUE_PX = 4        # margin of true masks
_WIDE_PX = 24       # compensates for some of what a network misses


def odometries(sources: Mapping[str, MaskSource], seeds: int) -> dict[str, Row]:
    """
    Measure trajectory errors on raw depth, depth under the true mask, and the node's static depth.

    :returns: for each installed tracker and each kind of depth, the error of every seed and their
        median in millimetres, and the number of images in which tracking was lost.
    """
    trackers: dict[str, Tracker] = {
        name: tracker for name, installed, tracker in (
            ('ORB-SLAM3', find_spec('pyorbslam3'), _orbslam3),
            ('RTAB-Map', rtabmap.installed(), _rtabmap),
            ('Open3D odometry', find_spec('open3d'), _open3d),
        ) if installed
    }
    found: dict[str, Row] = {}
    for seed in range(seeds):
        exposures, camera = record(seed)
        for kind, depths in depths_by_kind(exposures, sources, (_DILATE_PX, _WIDE_PX)).items():
            for name, tracker in trackers.items():
                row = found.setdefault(f'odometry, {name}, {kind}', {'ate_mm': [], 'lost': []})
                places = tracker(exposures, depths, camera)
                row['ate_mm'].append(_error_mm(places, exposures))
                row['lost'].append(len(exposures) - len(places))
        shares = [dynamic_share(dynamic_pixels(each.truth)) for each in exposures]
        covered = found.setdefault('odometry, people cover', {'most_%': []})
        covered['most_%'].append(round(100 * max(shares)))
    for row in found.values():
        if 'ate_mm' in row:
            row['ate_mm_median'] = median(row['ate_mm'])
    return found


def record(seed: int) -> tuple[list[Exposure], Intrinsics]:
    """Record the sequence of one room."""
    with closing(WalkedRoom(seed)) as room:
        return list(room.exposures(IMAGES)), room.camera


def depths_by_kind(
    exposures: Sequence[Exposure], sources: Mapping[str, MaskSource],
    dilations_px: Sequence[int] = (_DILATE_PX,),
) -> dict[str, Depths]:
    """Return the sequence's depth: raw, under the true mask, and from the node."""
    true = [
        static_depth(each.depth_mm, dilated(dynamic_pixels(each.truth), _TRUE_PX))
        for each in exposures
    ]
    kinds = {RAW: [each.depth_mm for each in exposures], TRUE_MASK: true}
    for name, source in sources.items():
        masks = [dynamic_pixels(source(each.frame, each.truth)) for each in exposures]
        for dilate_px in dilations_px:
            wider = '' if dilate_px == _DILATE_PX else f', static_dilate_px {dilate_px}'
            kinds[f'static/depth, {name}{wider}'] = _of_node(exposures, masks, dilate_px)
    return kinds


def _of_node(
    exposures: Sequence[Exposure], masks: Sequence[NDArray[np.bool_]], dilate_px: int
) -> Depths:
    """Return depth without dynamic objects, as in `static/depth`."""
    scene, found = StaticScene(), []
    for each, dynamic in zip(exposures, masks, strict=True):
        depth = registered_depth(each.depth_mm, each.frame.size_hw, 10.0)
        mask = scene.update(dynamic, each.frame.stamp_ns, dilate_px, _HOLD_S, depth.metres)
        found.append(static_depth(depth.raw, mask))
    return found


def dynamic_pixels(segmentation: Segmentation) -> NDArray[np.bool_]:
    return marked(segmentation.part('classes'), CARD.ids_with_role('dynamic'))


def _error_mm(
    places: Mapping[int, NDArray[np.float64]], exposures: Sequence[Exposure]
) -> float:
    if len(places) < 3:
        return float('inf')
    truth = np.array([exposures[number].pose[:3, 3] for number in places])
    return round(1000 * trajectory_error_m(np.array(list(places.values())), truth), 1)


def _orbslam3(
    exposures: Sequence[Exposure], depths: Depths, camera: Intrinsics
) -> dict[int, NDArray[np.float64]]:
    from seg_ros.bench.loops.orbslam3 import track

    return track(
        [each.frame.pixels for each in exposures],
        [depth.astype(np.float32) * np.float32(0.001) for depth in depths],
        [each.frame.stamp_ns / 1e9 for each in exposures], camera,
    )


def _rtabmap(
    exposures: Sequence[Exposure], depths: Depths, camera: Intrinsics
) -> dict[int, NDArray[np.float64]]:
    return rtabmap.track(
        [each.frame.pixels for each in exposures], depths,
        [each.frame.stamp_ns / 1e9 for each in exposures], camera,
    )


def _open3d(
    exposures: Sequence[Exposure], depths: Depths, camera: Intrinsics
) -> dict[int, NDArray[np.float64]]:
    """Chain frame-to-frame odometry (Park, Zhou and Koltun 2017)."""
    import open3d

    height, width = camera.size_hw
    pinhole = open3d.camera.PinholeCameraIntrinsic(
        width, height, camera.fx, camera.fy, camera.cx, camera.cy
    )
    images = [
        open3d.geometry.RGBDImage.create_from_color_and_depth(
            open3d.geometry.Image(np.ascontiguousarray(each.frame.pixels)),
            open3d.geometry.Image(depth), depth_scale=1000.0, depth_trunc=8.0,
        ) for each, depth in zip(exposures, depths, strict=True)
    ]
    odometry = open3d.pipelines.odometry
    pose, places = np.eye(4), {0: np.zeros(3)}
    for number in range(1, len(images)):
        good, step, _ = odometry.compute_rgbd_odometry(
            images[number], images[number - 1], pinhole, np.eye(4),
            odometry.RGBDOdometryJacobianFromHybridTerm(), odometry.OdometryOption(),
        )
        if good:
            pose = pose @ step
            places[number] = pose[:3, 3].copy()
    return places
