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

"""Top-down grasps on ray-cast boxes: around their sides and clear of their neighbours."""

import numpy as np
import pytest
from ray_cast import Box, Scene
from seg_ros.core.frame import Frame
from seg_ros.depth.cloud import labelled_cloud
from seg_ros.depth.grasp_candidates import Gripper
from seg_ros.depth.grasps import top_down_grasps
from seg_ros.depth.objects import object_clouds
from seg_ros.depth.planes import Plane


def grasped(boxes, pitch=1.25, eye=(0.1, 0, 0.7), erosion_px=2, plane_m=0.0):
    scene = Scene(boxes, eye=eye, pitch=pitch, size_hw=(480, 640), focal=525.0)
    plane = Plane(scene.rotation.T @ (0, 0, 1.0), eye[2] - plane_m)
    frame = Frame(np.zeros((480, 640, 3), np.uint8))
    cloud = labelled_cloud(scene.metres, scene.camera, frame, scene.segmentation())
    objects = object_clouds(cloud, scene.segmentation(), erosion_px, 525.0, (plane,))
    points = cloud[np.isfinite(scene.metres)]
    return scene, {item.segment_id: item for item in top_down_grasps(objects, points)}


def test_a_bar_is_taken_across_its_middle_from_above():
    bar = Box(0.35, 0.05, (0.16, 0.04, 0.05), 0.7)
    scene, grasps = grasped([bar])
    grasp = grasps[1]
    np.testing.assert_allclose(scene.rotation @ grasp.axes[2], [0, 0, -1], atol=1e-6)
    assert abs(scene.rotation @ grasp.axes[1] @ bar.axes[1]) > np.cos(0.15)
    place = scene.world(grasp.position)
    np.testing.assert_allclose(place[:2], (bar.x, bar.y), atol=0.02)
    assert 0.003 < place[2] < 0.04
    assert abs(grasp.width_m - 0.04) < 0.008
    np.testing.assert_allclose(grasp.axes @ grasp.axes.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(grasp.axes) > 0


def test_what_is_wider_than_the_gripper_is_left_alone():
    _, grasps = grasped([Box(0.35, 0, (0.2, 0.2, 0.05)), Box(0.35, -0.25, (0.05, 0.05, 0.05))])
    assert list(grasps) == [2]


@pytest.mark.parametrize('erosion_px', [0, 3])
@pytest.mark.parametrize('pitch', [0.9, 1.25, np.pi / 2])
@pytest.mark.parametrize('width', [0.02, 0.055, 0.07, 0.075])
def test_a_bar_that_leaves_4_mm_on_either_side_is_taken_whatever_erosion_took(
    width, pitch, erosion_px
):
    # At 0.8 m the default of 3 pixels is 5 mm on each side.
    bar = Box(0.0, 0.0, (0.12, width, 0.08))
    eye = (-0.8 * np.cos(pitch), 0.0, 0.05 + 0.8 * np.sin(pitch))
    scene, grasps = grasped([bar], pitch, eye, erosion_px)
    if width > 0.072:
        assert all(abs((scene.rotation @ each.axes[1])[1]) < 0.9 for each in grasps.values())
        return
    grasp = grasps[1]
    assert abs((scene.rotation @ grasp.axes[1])[1]) > np.cos(0.1)
    along, across = scene.world(grasp.position)[:2]
    assert abs(along) < 0.01
    assert abs(across) < 0.003
    assert grasp.width_m == pytest.approx(width, abs=0.004)


@pytest.mark.parametrize('pitch', np.deg2rad([40, 50, 60, 75, 90]))
def test_a_lone_box_is_taken_by_two_of_its_sides(pitch):
    eye = (-0.8 * np.cos(pitch), 0.0, 0.05 + 0.8 * np.sin(pitch))
    scene, grasps = grasped([Box(0.0, 0.0, (0.06, 0.06, 0.1))], pitch, eye, 3)
    closing = scene.rotation @ grasps[1].axes[1]
    assert max(abs(closing)) > np.cos(0.1)
    np.testing.assert_allclose(scene.world(grasps[1].position)[:2], (0, 0), atol=0.005)
    assert grasps[1].width_m == pytest.approx(0.06, abs=0.003)


def test_in_a_bin_whose_rim_counts_as_the_plane_fingers_reach_down_to_the_object():
    body = Box(0.35, 0.05, (0.12, 0.04, 0.06))
    scene, grasps = grasped([body], plane_m=0.2)
    place = scene.world(grasps[1].position)
    np.testing.assert_allclose(place[:2], (0.35, 0.05), atol=0.02)
    assert 0.003 < place[2] < 0.04


def test_fingers_come_down_where_nothing_stands():
    cube = Box(0.35, 0.0, (0.05, 0.05, 0.06))
    wall = Box(0.35, 0.055, (0.2, 0.04, 0.06))     # beside it, nearer than a finger is thick
    scene, grasps = grasped([cube, wall], pitch=1.4)
    closing = scene.rotation @ grasps[1].axes[1]
    assert abs(closing[0]) > 0.9    # along the wall
    free = grasped([cube], pitch=1.4)[1][1]
    assert free.score >= grasps[1].score


def test_a_cube_walled_in_on_all_sides_cannot_be_grasped():
    walls = [Box(0.35 + x, y, size) for x, y, size in (
        (0, 0.055, (0.2, 0.04, 0.06)), (0, -0.055, (0.2, 0.04, 0.06)),
        (0.055, 0, (0.04, 0.06, 0.06)), (-0.055, 0, (0.04, 0.06, 0.06)),
    )]
    _, grasps = grasped([Box(0.35, 0.0, (0.05, 0.05, 0.06)), *walls], pitch=1.45)
    assert 1 not in grasps


def test_the_best_grasp_comes_first():
    scene = Scene([Box(0.3, 0.1, (0.02, 0.1, 0.05)), Box(0.35, -0.1, (0.065, 0.065, 0.05))],
                  eye=(0.1, 0, 0.7), pitch=1.25, size_hw=(480, 640), focal=525.0)
    plane = Plane(scene.rotation.T @ (0, 0, 1.0), 0.7)
    cloud = labelled_cloud(
        scene.metres, scene.camera, Frame(np.zeros((480, 640, 3), np.uint8)), scene.segmentation()
    )
    objects = object_clouds(cloud, scene.segmentation(), 2, 525.0, (plane,))
    found = top_down_grasps(objects, cloud[np.isfinite(scene.metres)], Gripper())
    assert [item.segment_id for item in found] == [1, 2]
    assert found[0].score > found[1].score


def test_gpds_hand_has_room_where_the_grasp_is():
    # gpd, src/gpd/candidate/finger_hand.cpp, evaluateFingers: no point before the fingertips is
    # behind the hand's base, at least one is between the fingers, and (isGapFree) none is where a
    # finger is. Sizes are from its cfg/eigen_params.cfg.
    finger_m, outer_m, depth_m, height_m = 0.01, 0.12, 0.06, 0.02
    bodies = [Box(0.35, 0.05, (0.16, 0.04, 0.05), 0.7), Box(0.5, -0.2, (0.05, 0.05, 0.08))]
    scene, grasps = grasped(bodies)
    lifted = scene.lifted()[np.isfinite(scene.metres)]
    assert sorted(grasps) == [1, 2]
    for grasp in grasps.values():
        axes = grasp.axes @ scene.rotation.T
        vertical, lateral, forward = axes @ (lifted - scene.world(grasp.position)).T
        before = (np.abs(vertical) < height_m) & (forward < 0)
        assert (forward[before] > -depth_m).all()
        aside = np.abs(lateral[before])
        assert (aside < outer_m / 2 - finger_m).any()
        assert not ((aside > outer_m / 2 - finger_m) & (aside < outer_m / 2)).any()


def test_of_two_alike_the_one_that_the_images_edge_cuts_comes_last():
    boxes = [Box(0.3, 0.42, (0.05, 0.16, 0.05)), Box(0.3, 0.0, (0.05, 0.16, 0.05))]
    scene, grasps = grasped(boxes)
    assert (scene.ids[:, 0] == 1).any()
    assert grasps[2].score > grasps[1].score + 0.8
