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

"""Point clouds with colour, class and instance."""

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.depth.intrinsics import Intrinsics

# The sensor_msgs/PointCloud2 layout of depth_image_proc, RViz, PCL and Hydra: colour is 0x00rrggbb
# in the bits of a float32.
FIELDS = (
    ('x', '<f4'), ('y', '<f4'), ('z', '<f4'), ('rgb', '<f4'), ('label', '<u4'),
    ('instance', '<u4'),
)
POINT = np.dtype(list(FIELDS))


def xyz_planes(
    metres: NDArray[np.float32], camera: Intrinsics
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """
    Project every pixel to 3D in the optical frame.

    :param metres: float32 (H, W), depth along the optical axis, NaN = none.
    :returns: x, y and z, each float32 (H, W) in metres; all three NaN where there is no depth.
    """
    across, down = camera.slopes_xy
    return metres * across, metres * down, metres


def points_of(
    metres: NDArray[np.float32], camera: Intrinsics, pixels: NDArray[np.bool_], step: int = 1,
    max_points: int = 0,
) -> NDArray[np.float32]:
    """
    Project only the marked pixels to 3D.

    :param pixels: bool (ceil(H / step), ceil(W / step)); all marked pixels have depth.
    :param max_points: if more are marked, these many, evenly spread; 0 = all.
    :returns: float32 (N, 3) in the optical frame, row by row.
    """
    flat = np.flatnonzero(pixels)
    if 0 < max_points < len(flat):
        flat = flat[np.linspace(0, len(flat) - 1, max_points).astype(np.intp)]
    rows, columns = np.divmod(flat, pixels.shape[1])
    z = metres[::step, ::step][rows, columns]
    across, down = camera.subsampled(step).slopes_xy
    return np.stack([z * across[0, columns], z * down[rows, 0], z], axis=1)


def labelled_cloud(
    metres: NDArray[np.float32], camera: Intrinsics, frame: Frame, segmentation: Segmentation,
    step: int = 1,
) -> NDArray[np.void]:
    """
    Make the organised cloud of an image and its masks.

    :param metres: float32 (H, W), registered to the image, NaN = none.
    :param step: every `step`-th pixel of both rows and columns becomes a point.
    :returns: `POINT` (ceil(H / step), ceil(W / step)) in the optical frame; x, y and z are NaN
        where there is no depth. `label` is the card id, or `unlabelled` if the pixel has no class
        or classes were not requested; `instance` is the segment id, 0 = none.
    """
    every = (slice(None, None, step), slice(None, None, step))
    planes = [
        *xyz_planes(np.ascontiguousarray(metres[every]), camera.subsampled(step)),
        packed_rgb(frame, step),
    ]
    shape, ids = planes[0].shape, (segmentation.classes, segmentation.instances)
    for given, absent in zip(ids, (segmentation.unlabelled, 0), strict=True):
        plane = np.full(shape, absent, np.uint32)
        if given is not None:
            np.copyto(plane, given[every])
        planes.append(plane.view(np.float32))
    # cv2.merge only copies bits, so integers may be viewed as float32.
    return np.asarray(cv2.merge(planes)).view(POINT)[..., 0]


def packed_rgb(frame: Frame, step: int = 1) -> NDArray[np.float32]:
    """Return the colour of every `step`-th pixel as 0x00rrggbb, in the bits of float32 (h, w)."""
    pixels = np.ascontiguousarray(frame.pixels[::step, ::step])
    to_bgra = {
        'rgb': cv2.COLOR_RGB2BGRA, 'bgr': cv2.COLOR_BGR2BGRA, 'gray': cv2.COLOR_GRAY2BGRA,
    }
    bits = np.asarray(cv2.cvtColor(pixels, to_bgra[frame.color])).view('<u4')[..., 0]
    bits &= np.uint32(0xFFFFFF)
    return bits.view(np.float32)


def xyz_of(points: NDArray[np.void]) -> NDArray[np.float32]:
    """View x, y and z of packed points `POINT` (...) as float32 (..., 3)."""
    packed = np.ascontiguousarray(points)
    return packed.view(np.float32).reshape(*packed.shape, POINT.itemsize // 4)[..., :3]
