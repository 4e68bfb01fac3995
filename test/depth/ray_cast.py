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

"""Depth of boxes and balls on a plane, by textbook ray casting in float64."""

from dataclasses import dataclass

import numpy as np
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.depth.intrinsics import Intrinsics


@dataclass(frozen=True)
class Box:
    """A box: centre of its base, size along its axes, yaw, class and height of its base."""

    x: float
    y: float
    size: tuple
    yaw: float = 0.0
    class_id: int = 3
    base: float = 0.0

    @property
    def axes(self):
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        return np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1.0]])

    @property
    def centre(self):
        return np.array([self.x, self.y, self.base + self.size[2] / 2])


class Scene:
    """
    A camera above boxes on the plane z = 0 of a world whose z points up.

    `world_from_optical` is (4, 4); `metres` is NaN beyond `far`; the plane's class is `floor`.
    """

    def __init__(self, boxes, eye=(0.0, 0.0, 1.0), pitch=0.6, size_hw=(120, 160), focal=130.0,
                 far=20.0, floor=2):
        self.boxes = boxes
        height, width = size_hw
        self.camera = Intrinsics(focal, focal, width / 2 - 0.5, height / 2 - 0.5, size_hw)
        # In the optical frame, x is right, y down and z ahead: the world's x, pitched down.
        ahead = np.array([np.cos(pitch), 0, -np.sin(pitch)])
        right = np.array([0.0, -1, 0])
        self.rotation = np.stack([right, np.cross(ahead, right), ahead], 1)
        self.eye = np.array(eye, float)
        self.world_from_optical = np.eye(4)
        self.world_from_optical[:3, :3] = self.rotation
        self.world_from_optical[:3, 3] = self.eye
        rows, columns = np.mgrid[:height, :width].astype(float)
        rays = np.stack([
            (columns - self.camera.cx) / focal, (rows - self.camera.cy) / focal,
            np.ones(size_hw),
        ], -1) @ self.rotation.T
        with np.errstate(divide='ignore', invalid='ignore'):
            depth = np.where(rays[..., 2] < 0, -self.eye[2] / rays[..., 2], np.inf)
        ids = np.zeros(size_hw, np.uint16)
        for number, box in enumerate(boxes, 1):
            hit = self._hits(box, rays)
            ids[hit < depth] = number
            depth = np.minimum(depth, hit)
        seen = depth < far
        self.metres = np.where(seen, depth, np.nan).astype(np.float32)
        self.ids = np.where(seen, ids, 0).astype(np.uint16)
        self.classes = np.where(seen, floor, 255).astype(np.uint8)
        for number, box in enumerate(boxes, 1):
            self.classes[self.ids == number] = box.class_id

    def _hits(self, box, rays):
        """Slab method: Kay and Kajiya 1986."""
        origin = box.axes @ (self.eye - box.centre)
        along = rays @ box.axes.T
        half = np.array(box.size) / 2
        with np.errstate(divide='ignore', invalid='ignore'):
            one, other = (-half - origin) / along, (half - origin) / along
        near = np.minimum(one, other).max(-1)
        far = np.maximum(one, other).min(-1)
        return np.where((near < far) & (near > 0), near, np.inf)

    def segmentation(self):
        segments = []
        for number, box in enumerate(self.boxes, 1):
            rows, columns = np.nonzero(self.ids == number)
            if rows.size:
                xyxy = (int(columns.min()), int(rows.min()), int(columns.max()) + 1,
                        int(rows.max()) + 1)
                segments.append(Segment(number, box.class_id, 0.9, xyxy, int(rows.size)))
        confidence = np.where(self.classes == 255, 0, 200).astype(np.uint8)
        return Segmentation(
            self.ids.shape, 255, self.classes, confidence, self.ids, tuple(segments)
        )

    def world(self, points):
        return np.asarray(points, float) @ self.rotation.T + self.eye

    def lifted(self):
        """World coordinates of every pixel by its ray, (H, W, 3)."""
        rows, columns = np.indices(self.ids.shape)
        z = self.metres.astype(np.float64)
        optical = np.stack([
            (columns - self.camera.cx) / self.camera.fx * z,
            (rows - self.camera.cy) / self.camera.fy * z, z,
        ], -1)
        return np.einsum('ij,rcj->rci', self.rotation, optical) + self.eye
