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

"""Images of a camera that orbits a table, and depth without one object on it."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.bench.loops.masks import MaskSource
from seg_ros.bench.loops.octomap import Voxels, voxels, with_neighbours, world_points
from seg_ros.bench.loops.sensor import intrinsics_of, sensed, world_from_optical
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.core.settings import Settings
from seg_ros.core.timing import Timing
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.morphology import dilated
from seg_ros.depth.registration import registered_depth
from seg_ros.depth.static import static_depth
from seg_ros.depth.targets import distances_m, NEAREST, select_target, target_mask
from seg_ros.masks.postprocess_context import PARTS
from seg_ros.sim.classes import CARD
from seg_ros.sim.orbit import OrbitedTable
from seg_ros.sim.view import RenderedView
from seg_ros.temporal.temporal_filter import TemporalFilter

Depths: TypeAlias = list[NDArray[np.uint16]]

RAW = 'raw'
IMAGES, STEP_S = 40, 0.1
_SIZE_HW = (480, 640)
_SETTINGS = Settings(tracking=True)     # all other parameters have their defaults


@dataclass(frozen=True, eq=False)
class Look:
    """
    One image of the table.

    :param own: bool (H, W), true pixels of the target.
    :param pose: float64 (4, 4), from the optical frame to the world.
    """

    frame: Frame
    rendered: RenderedView
    truth: Segmentation
    depth_mm: NDArray[np.uint16]
    own: NDArray[np.bool_]
    pose: NDArray[np.float64]


def record_table(seed: int) -> tuple[list[Look], Intrinsics]:
    """Orbit a table at rest; the target is the nearest object wholly in the first image."""
    random = np.random.default_rng(seed)
    with closing(OrbitedTable(seed, 'held-out', _SIZE_HW)) as table:
        table.advance(2.0)      # until all objects are at rest
        looks: list[Look] = []
        body = -1
        for number in range(IMAGES):
            rendered, truth = table.render()
            depth_mm = sensed(rendered.depth_m, random)
            if not looks:
                body = _nearest_body(rendered, truth, depth_mm)
            frame = Frame(rendered.rgb, 'rgb', round(1e9 * (1 + STEP_S * number)))
            pose = world_from_optical(table.view)
            looks.append(Look(frame, rendered, truth, depth_mm, rendered.bodies == body, pose))
            table.advance(STEP_S)
        return looks, intrinsics_of(table.view, _SIZE_HW)


def _nearest_body(
    rendered: RenderedView, truth: Segmentation, depth_mm: NDArray[np.uint16]
) -> int:
    metres = registered_depth(depth_mm, _SIZE_HW, 10.0).metres
    whole = [item for item in truth.segments if _is_whole(item)]
    target = select_target(NEAREST, whole, CARD, distances_m(metres, truth))
    pixels = rendered.bodies[target_mask(truth, target)]
    return int(pixels[0]) if pixels.size else -1


def _is_whole(segment: Segment) -> bool:
    """Return whether a segment does not touch the image's edge."""
    x0, y0, x1, y1 = segment.xyxy
    return x0 > 0 and y0 > 0 and x1 < _SIZE_HW[1] and y1 < _SIZE_HW[0]


def own_voxels(
    looks: Sequence[Look], camera: Intrinsics, voxel_m: float, far_m: float
) -> Voxels:
    """Return the target's voxels that no other object is in or next to, from noise-free depth."""
    own: Voxels = set()
    others: Voxels = set()
    for each in looks:
        for found, mask in ((own, each.own), (others, ~each.own)):
            depth_m = np.where(mask, each.rendered.depth_m, np.float32(0))
            found |= voxels(world_points(depth_m, each.pose, camera, far_m), voxel_m)
    return own - with_neighbours(others)


def depths_without_target(
    looks: Sequence[Look], sources: Mapping[str, MaskSource]
) -> dict[str, Depths]:
    """Return the sequence's raw depth, and `scene/depth` with each kind of masks."""
    kinds = {RAW: [each.depth_mm for each in looks]}
    for name, source in sources.items():
        kinds[f'scene/depth, {name}'] = _of_node(looks, source)
    return kinds


def _of_node(looks: Sequence[Look], source: MaskSource) -> Depths:
    """Select the target by its id when it is first segmented, and remove it from the depth."""
    temporal, found, name = TemporalFilter(), [], ''
    for each in looks:
        masks = temporal.update(
            source(each.frame, each.truth), each.frame.stamp_ns, CARD, _SETTINGS, PARTS, Timing()
        )
        name = name or _id_at(masks, each.own)
        target: Segment | None = select_target(name, masks.segments, CARD, {})
        mask = dilated(target_mask(masks, target), _SETTINGS.edge_erosion_px)
        found.append(static_depth(each.depth_mm, mask))
    return found


def _id_at(masks: Segmentation, own: NDArray[np.bool_]) -> str:
    """Return the id of the segment that covers most of the target, as a user would see it."""
    ids = masks.part('instances')[own]
    ids = ids[ids > 0]
    return str(np.bincount(ids).argmax()) if ids.size else ''
