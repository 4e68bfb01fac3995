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

"""`seg_ros bench depth`: the scene it measures on, and what it says of each work."""

import numpy as np
from seg_ros.bench.depth import depth, TARGETS_MS
from seg_ros.bench.depth_scene import CAMERA, depth_scene
from seg_ros.core.frame import Frame
from seg_ros.depth.cloud import labelled_cloud
from seg_ros.depth.objects import object_clouds
from seg_ros.depth.registration import registered_depth


def test_all_objects_of_the_scene_have_a_box():
    raw, masks = depth_scene()
    metres = registered_depth(raw, CAMERA.size_hw, 10.0).metres
    frame = Frame(np.zeros((*CAMERA.size_hw, 3), np.uint8))
    cloud = labelled_cloud(metres, CAMERA, frame, masks)
    found = object_clouds(cloud, masks, 3, CAMERA.fx)
    assert [item.segment.id for item in found] == list(range(1, 22))
    assert all(item.box is not None for item in found)


def test_every_task_is_measured_with_its_target():
    found = depth(rounds=2)
    assert found.keys() == TARGETS_MS.keys()
    assert all(row['median'] > 0 and row['target_ms'] > 0 for row in found.values())
