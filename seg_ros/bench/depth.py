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

"""Times the depth outputs of a VGA image, compared with copying a cloud."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.bench.depth_scene import CAMERA, depth_scene, EYE_M, PITCH, SIZE_HW
from seg_ros.bench.machine import copy_ms
from seg_ros.bench.samples import interleaved, summary
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import marked, Segmentation
from seg_ros.depth.cloud import labelled_cloud, POINT
from seg_ros.depth.free_space import free_space
from seg_ros.depth.ground import base_from_plane, fit_ground, ground_segmentation, up_from_pitch
from seg_ros.depth.objects import object_clouds
from seg_ros.depth.planes import Plane
from seg_ros.depth.registration import registered_depth
from seg_ros.depth.scan import laser_scan
from seg_ros.depth.static import static_depth, StaticScene
from seg_ros.depth.support import support_planes
from seg_ros.sim.classes import CARD

TARGETS_MS = {
    'labelled cloud': 2.5, 'object clouds and boxes of 20': 4.0, 'static depth': 1.5,
    "Nav2's bundle at a quarter": 1.5, 'free space and scan': 3.0,
}


def depth(rounds: int) -> dict[str, Any]:
    """
    Measure the depth outputs, from arrays to arrays, in one thread, interleaved.

    :returns: for each output its durations, its target, and the time to copy a cloud of its size.
    """
    raw, masks = depth_scene()
    durations_ms = interleaved(_tasks(raw, masks), rounds)
    cloud_ms = round(copy_ms(POINT.itemsize * SIZE_HW[0] * SIZE_HW[1]), 3)
    return {
        name: {**summary(samples).to_dict(), 'target_ms': TARGETS_MS[name], 'copy_ms': cloud_ms}
        for name, samples in durations_ms.items()
    }


def _tasks(
    raw: NDArray[np.uint16], masks: Segmentation
) -> dict[str, Callable[[], object]]:
    frame, scene = Frame(np.zeros((*SIZE_HW, 3), np.uint8)), StaticScene()
    stamps = iter(range(10**9))
    classes = masks.part('classes')
    known = registered_depth(raw, SIZE_HW, 10.0).metres
    cloud = labelled_cloud(known, CAMERA, frame, masks)

    def bundle() -> object:
        metres = registered_depth(raw, SIZE_HW, 10.0).metres
        return (
            labelled_cloud(metres, CAMERA, frame, masks, 4), classes[::4, ::4].copy(),
            masks.part('confidence')[::4, ::4].copy(),
        )

    def objects() -> object:
        planes = support_planes(known, CAMERA, masks, CARD)
        return object_clouds(cloud, masks, 3, CAMERA.fx, planes)

    def static() -> object:
        metres = registered_depth(raw, SIZE_HW, 10.0).metres
        dynamic = marked(classes, CARD.ids_with_role('dynamic'))
        return static_depth(raw, scene.update(dynamic, 33_000_000 * next(stamps), 8, 0.5, metres))

    def rays() -> object:
        fitted = fit_ground(known, CAMERA, classes, CARD).plane
        plane = fitted or Plane(up_from_pitch(PITCH), EYE_M)
        ground = ground_segmentation(known, CAMERA, classes, CARD, plane, 2)
        return free_space(ground, base_from_plane(plane)), laser_scan(ground)

    return {
        'labelled cloud': lambda: labelled_cloud(
            registered_depth(raw, SIZE_HW, 10.0).metres, CAMERA, frame, masks
        ),
        'object clouds and boxes of 20': objects,
        'static depth': static,
        "Nav2's bundle at a quarter": bundle,
        'free space and scan': rays,
    }
