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

"""Top-down picks from bins and tables in a physics simulation."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.bench.loops.gripper import SimulatedGripper
from seg_ros.bench.loops.masks import MaskSource
from seg_ros.bench.loops.sensor import intrinsics_of, sensed, world_from_optical
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.depth.cloud import labelled_cloud
from seg_ros.depth.grasps import Grasp, top_down_grasps
from seg_ros.depth.ground import fit_ground
from seg_ros.depth.objects import object_clouds
from seg_ros.depth.registration import registered_depth
from seg_ros.depth.support import support_planes
from seg_ros.sim.classes import CARD, OBJECT, PERSON, ROBOT
from seg_ros.sim.scene_renderer import SceneRenderer
from seg_ros.sim.scenes import Kind, make_scene
from seg_ros.sim.view import Light, Viewpoint
from seg_ros.sim.world import World

Row: TypeAlias = dict[str, Any]

TRIES = 34          # per seed and kind of masks
_SIZE_HW = (480, 640)
_KINDS: tuple[Kind, Kind] = ('table', 'bin')
_EROSION_PX = 3     # the parameter's default
_LIFTED_M = 0.05    # objects that rose by more were picked


def picks(sources: Mapping[str, MaskSource], seeds: int) -> dict[str, Row]:
    """
    Execute the first grasp of `grasp_poses`, in the same heaps with each kind of masks.

    :returns: for each kind of masks the tries, successes, success rate and images without a grasp.
    """
    found = {name: {'tries': 0, 'picked': 0, 'no_grasp': 0} for name in sources}
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        with closing(SceneRenderer(random, 'held-out', _SIZE_HW)) as renderer:
            gripper = SimulatedGripper(renderer.world)
            for number in range(TRIES):
                make_scene(renderer.world, renderer.assets, random, _KINDS[number % 2])
                _clear_bystanders(renderer.world)
                _try_scene(renderer, gripper, random, sources, found)
    for row in found.values():
        row['success_%'] = round(100 * row['picked'] / max(1, row['tries']))
    return {f'picks, {name}': row for name, row in found.items()}


def _clear_bystanders(world: World) -> None:
    """Hide arms and people, which would obstruct the gripper."""
    for body in world.bodies:
        if body.shown and body.class_id in (ROBOT, PERSON):
            world.hide(body)
    world.settle(120)


def _try_scene(
    renderer: SceneRenderer, gripper: SimulatedGripper, random: np.random.Generator,
    sources: Mapping[str, MaskSource], found: dict[str, Row],
) -> None:
    """Take one image, and pick once with each kind of masks, always from the same heap."""
    world = renderer.world
    view = _view(world, random)
    rendered, truth = renderer.render(view, Light())
    frame, depth = Frame(rendered.rgb), sensed(rendered.depth_m, random)
    state = world.client.saveState()
    for name, source in sources.items():
        world.client.restoreState(state)
        grasps = grasps_of(frame, depth, source(frame, truth), view)
        row = found[name]
        row['tries'] += 1
        if not grasps:
            row['no_grasp'] += 1
            continue
        row['picked'] += _picked(world, gripper, grasps[0], world_from_optical(view))
    world.client.restoreState(state)
    world.client.removeState(state)


def _view(world: World, random: np.random.Generator) -> Viewpoint:
    """Look at the heap from nearly above, like a camera above a work cell."""
    heap = [
        world.position(body) for body in world.bodies if body.shown and body.class_id == OBJECT
    ]
    x, y, z = np.median(heap, axis=0).tolist()
    dx, dy = random.uniform(-0.15, 0.15, 2).tolist()
    return Viewpoint((x + dx, y + dy, z + 0.65), (x, y, z), (0.0, 1.0, 0.0), 50.0)


def grasps_of(
    frame: Frame, depth_mm: NDArray[np.uint16], segmentation: Segmentation, view: Viewpoint
) -> list[Grasp]:
    """Return the grasps on graspable objects, computed from an image as in the node."""
    camera = intrinsics_of(view, frame.size_hw)
    metres = registered_depth(depth_mm, frame.size_hw, 10.0).metres
    ground = fit_ground(metres, camera, segmentation.part('classes'), CARD).plane
    planes = support_planes(metres, camera, segmentation, CARD, ground)
    cloud = labelled_cloud(metres, camera, frame, segmentation)
    objects = object_clouds(cloud, segmentation, _EROSION_PX, camera.fx, planes)
    graspable = CARD.ids_with_role('graspable')
    chosen = [item for item in objects if item.segment.class_id in graspable]
    points = cloud[::2, ::2].ravel()
    return top_down_grasps(chosen, points[np.isfinite(points['z'])])


def _picked(
    world: World, gripper: SimulatedGripper, grasp: Grasp, pose: NDArray[np.float64]
) -> bool:
    """Execute a grasp and return whether any object was lifted."""
    objects = [body for body in world.bodies if body.shown and body.class_id == OBJECT]
    before = [world.position(body)[2] for body in objects]
    place = pose[:3, :3] @ grasp.position + pose[:3, 3]
    gripper.pick(place, pose[:3, :3] @ grasp.axes[1])
    lifted = [
        world.position(body)[2] - low for body, low in zip(objects, before, strict=True)
    ]
    gripper.park()
    return max(lifted) > _LIFTED_M
