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

"""Rendered images with ground truth; seed and number of a world determine its images."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels
from seg_ros.core.segmentation import Segmentation
from seg_ros.sim.camera import add_camera_effects
from seg_ros.sim.scene_renderer import SceneRenderer
from seg_ros.sim.scenes import Kind, make_scene, repaint
from seg_ros.sim.textures import Split
from seg_ros.sim.view import Light, RenderedView

VIEWS = 2
SCENES = 40     # per set of assets, which takes as long to load as 30 images to render
_ATTEMPTS = 5


@dataclass(frozen=True, eq=False)
class Sample:
    """
    An image and its ground truth.

    :param rgb: uint8 (H, W, 3).
    :param depth_mm: uint16 (H, W), along the optical axis.
    """

    rgb: Pixels
    depth_mm: NDArray[np.uint16]
    ground_truth: Segmentation


def world_samples(
    seed: int, world: int, split: Split, size_hw: tuple[int, int] = (480, 640),
    scenes: int = SCENES, kind: Kind | None = None,
) -> Iterator[Sample]:
    """
    Render the images of one world: one set of assets in many scenes, several views of each.

    :param world: number from 0; worlds of one seed are independent of each other.
    :param kind: of the scenes; None chooses bins, tables and rooms at random.
    """
    random = np.random.default_rng([seed, world, split == 'held-out'])
    with closing(SceneRenderer(random, split, size_hw)) as renderer:
        for _ in range(scenes):
            sample_viewpoint = make_scene(renderer.world, renderer.assets, random, kind)
            for view in range(VIEWS):
                if view:
                    repaint(renderer.world, renderer.assets, random, 0.5)
                for _ in range(_ATTEMPTS):
                    rendered, truth = renderer.render(sample_viewpoint(random), _light(random))
                    if _is_usable(rendered, truth):
                        depth = np.clip(rendered.depth_m * 1000, 0, 65535).astype(np.uint16)
                        yield Sample(add_camera_effects(rendered.rgb, random), depth, truth)
                        break


def _is_usable(rendered: RenderedView, truth: Segmentation) -> bool:
    """Return whether the view is usable: camera outside bodies, and no body fills the image."""
    fractions = np.bincount(rendered.bodies[rendered.bodies >= 0]) / rendered.bodies.size
    blocked = float((rendered.depth_m < 0.12).mean())
    return bool(truth.segments) and blocked < 0.02 and fractions.max() < 0.9


def _light(random: np.random.Generator) -> Light:
    x, y = random.uniform(-3, 3, 2).tolist()
    return Light(
        (x, y, random.uniform(2, 6)), tuple((1 - random.uniform(0, 0.15, 3)).tolist()),
        random.uniform(2, 8), random.uniform(0.5, 0.9), random.uniform(0.3, 0.8),
        random.exponential(0.25), random.random() < 0.8,
    )
