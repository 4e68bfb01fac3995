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
from dataclasses import dataclass, replace
from functools import cached_property

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
from seg_ros.depth.interior import depth_discontinuities, detached_parts, instance_interiors
from seg_ros.depth.planes import Plane
from seg_ros.depth.registration import has_depth

MIN_POINTS = 12     # minimum points for a box


@dataclass(frozen=True, eq=False, kw_only=True)
class ObjectCloud:
    """
    The 3D points of one segment.

    :param segment: the segment, as in the instance map and the detections.
    :param points: `POINT` (N,) in the optical frame, without pixels on edges and depth jumps, and
        without those that the mask covers behind or in front of the object.
    :param depth_share: fraction of the segment's pixels that have depth, 0 to 1.
    :param box: upright on the plane if there is one; None with fewer than `MIN_POINTS` points.
    :param cut: whether the segment reaches the image's edge, so that its full extent is unknown.
    :param plane: the plane that the object stands on, or is above or below.
    :param eroded: width that erosion removed from each edge of the mask, as a fraction of the
        distance.
    """

    segment: Segment
    points: NDArray[np.void]
    depth_share: float
    box: OrientedBox | None = None
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
    Split the cloud into objects.

    An instance so thin that erosion would remove all of it keeps its edge.

    :param cloud: `POINT` (H, W), organised, of the whole image.
    :param segmentation: masks with instances, all of which are listed in its segments.
    :param erosion_px: pixels removed at each mask's edge, where depth may be the background's.
    :param focal_px: focal length; the boxes grow by the width that erosion removed.
    :param planes: support planes; each object gets one of them. Without any, boxes are aligned
        with the principal axes.
    :returns: one for each segment with any depth, in the order of the segments.
    """
    instances, z = segmentation.part('instances'), np.ascontiguousarray(cloud['z'])
    known, inner = has_depth(z), instance_interiors(instances, max(1, erosion_px))
    steady = known & ~depth_discontinuities(z)
    detached = detached_parts(inner & steady, instances, z)
    if detached is not None:
        steady &= ~detached
    # As opaque records: numpy copies a structured point field by field.
    records = np.ascontiguousarray(cloud).view(f'V{POINT.itemsize}')
    found = []
    for segment in segmentation.segments:
        x0, y0, x1, y1 = segment.xyxy
        window = slice(y0, y1), slice(x0, x1)
        own = instances[window] == segment.id
        with_depth = np.count_nonzero(own & known[window])
        if not with_depth:
            continue
        core = own & inner[window] if erosion_px else own
        thin = not core.any()
        kept = (own if thin else core) & steady[window]
        # To the edge of the outermost pixel left; without erosion, jumps remove one pixel.
        eroded_px = (1 if thin else max(1, erosion_px)) + 0.5
        found.append(ObjectCloud(
            segment=segment,
            points=records[window][kept].view(POINT),
            depth_share=with_depth / segment.area,
            cut=_is_cut(segment, segmentation.size_hw),
            plane=planes[0] if planes else None,
            eroded=eroded_px / focal_px,
        ))
    return _boxed(found, planes)


def _is_cut(segment: Segment, size_hw: tuple[int, int]) -> bool:
    x0, y0, x1, y1 = segment.xyxy
    return x0 <= 0 or y0 <= 0 or x1 >= size_hw[1] or y1 >= size_hw[0]


def _boxed(objects: list[ObjectCloud], planes: Sequence[Plane]) -> list[ObjectCloud]:
    """Add the box, and the plane it stands on, to each object with enough points."""
    measurable = [item for item in objects if len(item.points) >= MIN_POINTS]
    boxed = {
        item.segment.id: replace(item, box=box, plane=plane)
        for item, (box, plane) in zip(measurable, _boxes(measurable, planes), strict=True)
    }
    return [boxed.get(item.segment.id, item) for item in objects]


def _boxes(
    objects: Sequence[ObjectCloud], planes: Sequence[Plane]
) -> list[tuple[OrientedBox, Plane | None]]:
    """Return the box of each object and the plane it stands on."""
    if not objects:
        return []
    sample = np.stack([_evenly(item.xyz) for item in objects])
    margins = np.array([item.eroded for item in objects])
    if not planes:
        return [(box, None) for box in free_boxes(sample, margins)]
    found: dict[int, tuple[OrientedBox, Plane | None]] = {}
    below = planes_below(sample, planes)
    for choice, plane in enumerate(planes):
        here = np.flatnonzero(below == choice)
        if here.size:
            boxes = upright_boxes(sample[here], plane, margins[here])
            found |= {index: (box, plane) for index, box in zip(here.tolist(), boxes, strict=True)}
    return [found[index] for index in range(len(objects))]


def _evenly(xyz: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `SAMPLES` points evenly spread over a cloud, some repeated if it has fewer."""
    return xyz[np.arange(SAMPLES) * len(xyz) // SAMPLES]


def joined(objects: Sequence[ObjectCloud]) -> NDArray[np.void]:
    """Return the points of all objects, `POINT` (N,), one object after the other."""
    return np.concatenate([item.points for item in objects] or [np.empty(0, POINT)])
