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

"""A frame with masks and depth, as outputs see it; each part is computed once, on demand."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.core.settings import Settings
from seg_ros.depth.cloud import labelled_cloud
from seg_ros.depth.ground import (
    base_from_plane,
    fit_ground,
    ground_segmentation,
    GroundFit,
    GroundSegmentation,
    plane_from_transform,
    up_from_pitch,
)
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.objects import object_clouds, ObjectCloud
from seg_ros.depth.planes import Plane
from seg_ros.depth.registration import RegisteredDepth
from seg_ros.depth.support import support_planes
from seg_ros.depth.targets import distances_m, select_target, target_mask
from seg_ros.ros.base_frame import TransformOf
from seg_ros.ros.publishers import View
from std_msgs.msg import Header

RAY_STEP = 2    # free space and scan use every second pixel


@dataclass(frozen=True, eq=False)
class DepthView:
    """
    A view with its depth.

    :param image_view: the view without depth.
    :param camera: intrinsics of the rectified image.
    :param transform_of: called with a header, returns the transform from its frame to
        `base_frame`, float64 (4, 4), or None if TF has none. None if tf2_ros is not installed.
    """

    image_view: View
    depth: RegisteredDepth
    camera: Intrinsics
    settings: Settings
    transform_of: TransformOf

    @cached_property
    def header(self) -> Header:
        """Header of every output: the image's, with camera_info's frame id if it has none."""
        header, info = self.image_view.header, self.image_view.camera_info
        if header.frame_id or info is None:
            return header
        return Header(stamp=header.stamp, frame_id=info.header.frame_id)

    @property
    def card(self) -> ModelCard:
        """Card of the model that made the masks."""
        return self.image_view.card

    @property
    def segmentation(self) -> Segmentation:
        """Masks at the image's size."""
        return self.image_view.segmentation

    @property
    def metres(self) -> NDArray[np.float32]:
        """Depth in metres, float32 (H, W), NaN where there is none."""
        return self.depth.metres

    @cached_property
    def cloud(self) -> NDArray[np.void]:
        """Points of every pixel, `POINT` (H, W)."""
        return labelled_cloud(self.metres, self.camera, self.image_view.frame, self.segmentation)

    @cached_property
    def strided_cloud(self) -> NDArray[np.void]:
        """Points of every `cloud_stride`-th pixel, `POINT` (h, w)."""
        step = self.settings.cloud_stride
        if step == 1:
            return self.cloud
        return labelled_cloud(
            self.metres, self.camera, self.image_view.frame, self.segmentation, step
        )

    @cached_property
    def supports(self) -> tuple[Plane, ...]:
        """Find the planes that objects stand on; up is the z axis of `base_frame`."""
        base = self.base_from_tf
        return support_planes(
            self.metres, self.camera, self.segmentation, self.card, self.ground_plane,
            None if base is None else base[2, :3],
        )

    @cached_property
    def objects(self) -> list[ObjectCloud]:
        """Cloud and box of every segment."""
        return object_clouds(
            self.cloud, self.segmentation, self.settings.edge_erosion_px, self.camera.fx,
            self.supports,
        )

    @cached_property
    def target(self) -> Segment | None:
        """Select the segment that `target` names; None if it is not in view."""
        distances = distances_m(self.metres, self.segmentation)
        return select_target(
            self.settings.target, self.segmentation.segments, self.card, distances
        )

    @cached_property
    def target_mask(self) -> NDArray[np.bool_]:
        """Pixels of the target, bool (H, W)."""
        return target_mask(self.segmentation, self.target)

    @cached_property
    def base_from_tf(self) -> NDArray[np.float64] | None:
        """Look up the transform to `base_frame`, float64 (4, 4); None if TF has none."""
        return None if self.transform_of is None else self.transform_of(self.header)

    @cached_property
    def up(self) -> NDArray[np.float64]:
        """Return the approximate up vector in the optical frame, from TF or `camera_pitch_deg`."""
        if self.base_from_tf is not None:
            return np.array(self.base_from_tf[2, :3])
        return up_from_pitch(np.deg2rad(self.settings.camera_pitch_deg))

    @cached_property
    def ground_plane(self) -> Plane | None:
        """Return the ground plane from TF or fitted, as `ground` says, or by `camera_height_m`."""
        settings = self.settings
        if settings.ground == 'tf' and self.base_from_tf is not None:
            return plane_from_transform(self.base_from_tf)
        if self.ground_fit.plane is None and settings.camera_height_m:
            return Plane(self.up, settings.camera_height_m)
        return self.ground_fit.plane

    @cached_property
    def ground_fit(self) -> GroundFit:
        """Fit the ground plane to traversable pixels."""
        classes = self.segmentation.part('classes')
        return fit_ground(self.metres, self.camera, classes, self.card, self.up)

    @cached_property
    def base_from_optical(self) -> NDArray[np.float64] | None:
        """Return the transform to `base_frame`; without tf2_ros, that is below the camera."""
        if self.transform_of is not None:
            return self.base_from_tf    # None until TF has it: the pose is not guessed
        return None if self.ground_plane is None else base_from_plane(self.ground_plane)

    @cached_property
    def coarse_ground(self) -> GroundSegmentation | None:
        """Split the image into ground and obstacles, for free space and scan."""
        return self.ground(RAY_STEP)

    @cached_property
    def strided_ground(self) -> GroundSegmentation | None:
        """Split every `cloud_stride`-th pixel into ground and obstacles."""
        return self.ground(self.settings.cloud_stride)

    def ground(self, step: int) -> GroundSegmentation | None:
        """Split every `step`-th pixel into ground and obstacles; None without a ground plane."""
        if self.ground_plane is None:
            return None
        classes = self.segmentation.part('classes')
        return ground_segmentation(
            self.metres, self.camera, classes, self.card, self.ground_plane, step,
            self.settings.max_depth_m,
        )
