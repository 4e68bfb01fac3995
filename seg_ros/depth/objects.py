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

"""The cloud of each object, with its position, size and measurement quality."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.depth.boxes import (
    free_boxes,
    OrientedBox,
    planes_below,
    SAMPLES,
    upright_boxes,
)
from seg_ros.depth.cloud import POINT, xyz_of
from seg_ros.depth.interior import inside, of_another_part, on_jump
from seg_ros.depth.planes import Plane
from seg_ros.depth.registration import has_depth

LEAST_POINTS = 12   # minimum points for a box


@dataclass(frozen=True, eq=False)
class ObjectCloud:
    """
    The 3D points of one segment.

    :param segment: the segment, as in the instance map and the detections.
    :param points: `POINT` (N,) in the optical frame, without pixels on edges and depth jumps, and
        without those that the mask covers behind or in front of the object.
    :param box: upright on the plane if there is one; None with fewer than `LEAST_POINTS` points.
    :param depth_share: fraction of the segment's pixels that have depth, 0 to 1.
    :param cut: whether the segment reaches the image's edge, so that its full extent is unknown.
    :param plane: the plane that the object stands on, or that is nearest below it.
    :param eroded: width that erosion removed from each edge of the mask, as a fraction of the
        distance.
    """

    segment: Segment
    points: NDArray[np.void]
    box: OrientedBox | None
    depth_share: float
    cut: bool = False
    plane: Plane | None = None
    eroded: float = 0.0

    @property
    def xyz(self) -> NDArray[np.float32]:
        """Return the points' coordinates, float32 (N, 3), metres."""
        return xyz_of(self.points)

    @cached_property
    def centroid(self) -> NDArray[np.float64]:
        """Return the mean of the points, float64 (3,); NaN if there are none."""
        if not len(self.points):
            return np.full(3, np.nan)
        return np.asarray(self.xyz.mean(axis=0, dtype=np.float64))

    @cached_property
    def axes(self) -> NDArray[np.float64]:
        """Return the principal axes of the points as rows, the widest spread first, (3, 3)."""
        return free_boxes(self.xyz[None])[0].axes

    @property
    def quality(self) -> float:
        """Return the fraction of the segment's pixels that became points, 0 to 1."""
        return len(self.points) / max(1, self.segment.area)


def object_clouds(
    cloud: NDArray[np.void], segmentation: Segmentation, erosion_px: int, focal_px: float,
    planes: Sequence[Plane] = (),
) -> list[ObjectCloud]:
    """
    Split the cloud into objects, all instances in one pass.

    An instance so thin that erosion would remove all of it keeps its edge.

    :param cloud: `POINT` (H, W), organised, of the whole image.
    :param segmentation: with instances, all of which are listed in its segments.
    :param erosion_px: removed from each mask's edge, where depth may belong to the background.
    :param focal_px: focal length; the boxes grow by the width that erosion removed.
    :param planes: support planes; each object gets one of them. Without any, boxes are aligned
        with the principal axes.
    :returns: one for each segment with any depth, in the order of the segments.
    """
    assert segmentation.instances is not None
    rows = _rows_of(segmentation.instances, max(1, erosion_px) + 1)
    cloud, instances = cloud[rows], segmentation.instances[rows]
    pixels, ids = _sorted_pixels(instances)
    if not pixels.size:
        return []
    numbers = sorted(segment.id for segment in segmentation.segments)
    starts = np.searchsorted(ids, np.array(numbers, np.uint16))
    z = np.ascontiguousarray(cloud['z'])
    apart = inside(instances, max(1, erosion_px))   # so that no two instances touch
    within, jumps, known = apart if erosion_px else instances > 0, on_jump(z), has_depth(z)
    inner, measured = (mask.reshape(-1).take(pixels) for mask in (within, known))
    thin = _counts(inner, starts) == 0
    inner |= np.repeat(thin, np.diff(starts, append=len(ids)))
    kept = inner & measured & ~jumps.reshape(-1).take(pixels)
    foreign = of_another_part(apart & ~jumps & known, instances, z)
    if foreign is not None:
        kept &= ~foreign.reshape(-1).take(pixels)
    # Whole records at once: by its fields numpy copies a point in six steps.
    records = np.ascontiguousarray(cloud).reshape(-1).view(f'V{POINT.itemsize}')
    points = records.take(pixels[kept]).view(POINT)
    counts = _counts(kept, starts)
    ends = np.cumsum(counts)
    place = {number: index for index, number in enumerate(numbers)}
    # To the edge of the outermost pixel left; without erosion, jumps remove one pixel.
    eroded = (np.where(thin, 1, max(1, erosion_px)) + 0.5) / focal_px
    boxes = _boxes(points, ends - counts, counts, planes, eroded)
    with_depth = _counts(measured, starts).tolist()
    found = []
    for segment in segmentation.segments:
        own = place[segment.id]
        if not with_depth[own]:
            continue
        box, plane = boxes.get(own, (None, planes[0] if planes else None))
        found.append(ObjectCloud(
            segment, points[ends[own] - counts[own]:ends[own]], box,
            with_depth[own] / segment.area, _is_cut(segment, segmentation.size_hw), plane,
            float(eroded[own]),
        ))
    return found


def _rows_of(instances: NDArray[np.uint16], margin_px: int) -> slice:
    """Return the rows that contain instances, with a margin; other rows are not processed."""
    _, y, _, height = cv2.boundingRect((instances > 0).view(np.uint8))
    return slice(max(0, y - margin_px), y + height + margin_px)


def _is_cut(segment: Segment, size_hw: tuple[int, int]) -> bool:
    x0, y0, x1, y1 = segment.xyxy
    return x0 <= 0 or y0 <= 0 or x1 >= size_hw[1] or y1 >= size_hw[0]


def _sorted_pixels(
    instances: NDArray[np.uint16]
) -> tuple[NDArray[np.intp], NDArray[np.uint16]]:
    """Return the flat indexes of all instances' pixels, sorted by id, and their ids."""
    pixels = np.flatnonzero(instances > 0)
    ids = instances.reshape(-1).take(pixels)
    order = np.argsort(ids, kind='stable')  # a radix sort for 16 bits
    return pixels.take(order), ids.take(order)


def _counts(marks: NDArray[np.bool_], starts: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.asarray(np.add.reduceat(marks, starts, dtype=np.intp))


def _boxes(
    points: NDArray[np.void], starts: NDArray[np.intp], counts: NDArray[np.intp],
    planes: Sequence[Plane], eroded: NDArray[np.float64],
) -> dict[int, tuple[OrientedBox, Plane | None]]:
    """Return the boxes and planes of the clouds with enough points, by index of the cloud."""
    numbers = np.flatnonzero(counts >= LEAST_POINTS)
    if not numbers.size:
        return {}
    # Evenly spread over each cloud; clouds with fewer points repeat some.
    places = np.arange(SAMPLES) * counts[numbers, None] // SAMPLES
    records = points.view(f'V{POINT.itemsize}').take(places + starts[numbers, None])
    sample, margins = xyz_of(records.view(POINT)), eroded[numbers]
    if not planes:
        free = free_boxes(sample, margins)
        return {number: (box, None) for number, box in zip(numbers.tolist(), free, strict=True)}
    found: dict[int, tuple[OrientedBox, Plane | None]] = {}
    below = planes_below(sample, planes)
    for choice, plane in enumerate(planes):
        here = below == choice
        if here.any():
            boxes = upright_boxes(sample[here], plane, margins[here])
            found |= zip(numbers[here].tolist(), ((box, plane) for box in boxes), strict=True)
    return found


def joined(objects: Sequence[ObjectCloud]) -> NDArray[np.void]:
    """Return the points of all objects, `POINT` (N,), one object after the other."""
    return np.concatenate([item.points for item in objects] or [np.empty(0, POINT)])
