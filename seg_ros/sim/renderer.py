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

"""Renders a camera's view of the world: colour, depth and the body at each pixel."""

from importlib.util import find_spec
import os
from typing import Any

import cv2
import numpy as np
import pybullet
from seg_ros.sim.view import Light, RenderedView, Viewpoint

NEAR_M, FAR_M = 0.05, 14.0


class Renderer:
    """
    Renders with OpenGL if there is an EGL library, else with PyBullet's TinyRenderer.

    TinyRenderer has no anti-aliasing, so it renders at twice the size.

    :param client: the PyBullet client whose world is rendered.
    """

    def __init__(self, client: Any, size_hw: tuple[int, int]) -> None:
        self._client = client
        self._size_hw = size_hw
        # Mesa renders in software; parallel worlds use the cores better than its threads.
        os.environ.setdefault('LP_NUM_THREADS', '1')
        plugin = find_spec('eglRenderer')
        loaded = -1
        if plugin is not None and plugin.origin:
            loaded = client.loadPlugin(plugin.origin, '_eglRendererPlugin')
        self.name = 'egl' if loaded >= 0 else 'tiny'
        kinds = {'egl': pybullet.ER_BULLET_HARDWARE_OPENGL, 'tiny': pybullet.ER_TINY_RENDERER}
        self._kind = kinds[self.name]
        self._scale = 1 if self.name == 'egl' else 2

    def render(self, view: Viewpoint, light: Light) -> RenderedView:
        """Render a view."""
        height, width = self._size_hw
        large_hw = height * self._scale, width * self._scale
        _, _, rgba, z, ids = self._client.getCameraImage(
            large_hw[1], large_hw[0],
            pybullet.computeViewMatrix(view.eye, view.target, view.up),
            pybullet.computeProjectionMatrixFOV(view.fov_deg, width / height, NEAR_M, FAR_M),
            lightDirection=light.direction, lightColor=light.color,
            lightDistance=light.distance_m, shadow=int(light.shadow),
            lightAmbientCoeff=light.ambient, lightDiffuseCoeff=light.diffuse,
            lightSpecularCoeff=light.specular, renderer=self._kind,
        )
        rgb = np.asarray(rgba, np.uint8).reshape(*large_hw, 4)[..., :3]
        step = self._scale
        z = np.asarray(z, np.float32).reshape(large_hw)[::step, ::step]
        depth = FAR_M * NEAR_M / (FAR_M - (FAR_M - NEAR_M) * z)
        bodies = np.asarray(ids, np.int32).reshape(large_hw)[::step, ::step]
        small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
        return RenderedView(np.ascontiguousarray(small), depth.astype(np.float32), bodies.copy())
