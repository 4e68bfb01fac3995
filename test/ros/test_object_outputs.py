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

"""Objects have one id, one box and one name in all outputs, and grasps are on those wanted."""

from dataclasses import replace

from depth_scene import (
    CARD,
    depth_view,
    HEADER,
    image_of,
    made,
    points_of,
    scene,
)
import numpy as np
import pytest
from seg_ros.core.settings import Settings
from seg_ros.depth.grasps import Grasp
from visualization_msgs.msg import Marker

UNGRASPABLE = replace(CARD, classes=tuple(replace(item, roles=()) for item in CARD.classes))


def test_the_same_object_has_the_same_id_everywhere(vision_outputs):
    vision, points = vision_outputs
    view = depth_view()
    outputs = {item.topic: item for item in (*vision.VISION, *points.POINTS)}
    found = outputs['detections'].make(view.image_view)
    boxes = outputs['detections_3d'].make(view)
    ids = {segment.id for segment in view.segmentation.segments}
    assert {int(item.id) for item in boxes.detections} == ids
    assert {int(item.id) for item in found.detections} == ids
    assert set(points_of(made('objects/points', view))['instance'].ravel().tolist()) == ids
    assert {marker.id for marker in made('objects/markers', view).markers} == ids
    assert set(np.unique(view.image_view.instance)) - {0} == ids
    names = {item.id: item.results[0].hypothesis.class_id for item in boxes.detections}
    assert names == {'7': 'cup', '300': 'person'}


def rotation_of(q):
    """Return the matrix of a quaternion (Diebel, Representing Attitude, 2006, equation 125)."""
    assert q.x ** 2 + q.y ** 2 + q.z ** 2 + q.w ** 2 == pytest.approx(1)
    return np.array([
        [1 - 2 * (q.y ** 2 + q.z ** 2), 2 * (q.x * q.y - q.w * q.z), 2 * (q.x * q.z + q.w * q.y)],
        [2 * (q.x * q.y + q.w * q.z), 1 - 2 * (q.x ** 2 + q.z ** 2), 2 * (q.y * q.z - q.w * q.x)],
        [2 * (q.x * q.z - q.w * q.y), 2 * (q.y * q.z + q.w * q.x), 1 - 2 * (q.x ** 2 + q.y ** 2)],
    ])


def xyz(message):
    return message.x, message.y, message.z


def assert_pose(pose, position, axes):
    np.testing.assert_allclose(xyz(pose.position), position)
    np.testing.assert_allclose(rotation_of(pose.orientation).T, axes, atol=1e-9)


def test_a_detection_has_the_pose_and_size_of_its_objects_box(vision_outputs):
    view = depth_view()
    (output,) = [item for item in vision_outputs[1].POINTS if item.topic == 'detections_3d']
    for detection, item in zip(output.make(view).detections, view.objects, strict=True):
        assert (detection.header, detection.id) == (HEADER, str(item.segment.id))
        for pose in (detection.bbox.center, detection.results[0].pose.pose):
            assert_pose(pose, item.box.centre, item.box.axes)
        np.testing.assert_allclose(xyz(detection.bbox.size), item.box.size_m)
        assert detection.results[0].hypothesis.score == 0.9


def test_markers_show_the_box_in_its_class_colour_below_its_name_and_go_by_themselves():
    view = depth_view()
    markers = made('objects/markers', view).markers
    for cube, text, item in zip(markers[::2], markers[1::2], view.objects, strict=True):
        info = CARD.by_id[item.segment.class_id]
        assert (cube.type, text.type) == (Marker.CUBE, Marker.TEXT_VIEW_FACING)
        assert_pose(cube.pose, item.box.centre, item.box.axes)
        np.testing.assert_allclose(xyz(cube.scale), item.box.size_m)
        color = cube.color
        np.testing.assert_allclose((color.r, color.g, color.b), np.array(info.color) / 255)
        assert 0 < color.a < 1
        assert text.text == f'{info.name} {item.segment.id}'
        assert text.scale.z > 0
        assert text.color.a == 1
        x, y, z = item.box.centre
        np.testing.assert_allclose(
            xyz(text.pose.position), (x, y - max(item.box.size_m) / 2, z)
        )
        assert cube.lifetime.nanosec == text.lifetime.nanosec == 500_000_000
        assert cube.ns != text.ns       # or one would replace the other, which has the same id


@pytest.mark.parametrize('target', ['cup', '7', 'nearest'])
def test_the_target_is_in_its_mask_and_cloud_and_not_in_the_scene(target):
    # isaac_ros_foundationpose: mono8 of 0 and 255, the size of image and depth, one object.
    view = depth_view(Settings(target=target))
    mask, scene_depth = (image_of(made(name, view)) for name in ('target/mask', 'scene/depth'))
    cup = scene()[1].instances == 7
    np.testing.assert_array_equal(mask, np.where(cup, 255, 0))
    rows, columns = np.nonzero(cup)
    edge = view.settings.edge_erosion_px
    gone = np.zeros_like(cup)
    gone[
        rows.min() - edge:rows.max() + edge + 1, columns.min() - edge:columns.max() + edge + 1
    ] = True
    assert not scene_depth[gone].any()
    np.testing.assert_array_equal(scene_depth[~gone], view.depth.raw[~gone])
    assert set(points_of(made('target/points', view))['instance'].ravel().tolist()) == {7}


@pytest.mark.parametrize('target', ['', '12', 'spoon'])
def test_a_target_that_is_not_in_sight_is_an_empty_mask(target):
    view = depth_view(Settings(target=target))
    assert not image_of(made('target/mask', view)).any()
    assert made('target/points', view).width == 0
    np.testing.assert_array_equal(image_of(made('scene/depth', view)), view.depth.raw)


@pytest.mark.parametrize(('card', 'target', 'ids'), [
    (CARD, '', [7]), (CARD, 'cup', [7]), (CARD, 'person', [300]), (CARD, '99', []),
    (UNGRASPABLE, '', [7, 300]), (UNGRASPABLE, 'cup', [7]),
])
def test_grasps_are_on_the_target_or_on_all_that_can_be_grasped(monkeypatch, card, target, ids):
    planned = []

    def plan(objects, surroundings):
        planned.extend(item.segment.id for item in objects)
        assert np.isfinite(surroundings['z']).all()
        assert set(np.unique(surroundings['instance'])) == {0, 7, 300}
        return []

    monkeypatch.setattr('seg_ros.ros.outputs.grasping.top_down_grasps', plan)
    message = made('grasp_poses', depth_view(Settings(target=target), card=card))
    assert planned == ids
    assert (message.header, message.poses) == (HEADER, [])


def test_grasp_poses_are_those_of_the_grasps_the_best_first(monkeypatch):
    axes = np.array([[0, 0.6, 0.8], [0, -0.8, 0.6], [1, 0, 0]])
    grasps = [
        Grasp(7, np.array([0.1, 0.2, 0.9]), axes, 0.04, 2.0),
        Grasp(300, np.array([-0.3, 0.0, 1.1]), np.eye(3), 0.05, 1.0),
    ]
    monkeypatch.setattr(
        'seg_ros.ros.outputs.grasping.top_down_grasps', lambda objects, surroundings: grasps
    )
    poses = made('grasp_poses', depth_view()).poses
    for pose, grasp in zip(poses, grasps, strict=True):
        assert_pose(pose, grasp.position, grasp.axes)


def test_the_instance_mask_is_contact_graspnets_segmap():
    # contact_grasp_estimator.py extract_3d_cam_boxes / filter_pc_segments: int, 0 = background.
    view = depth_view()
    segmap = image_of(made('instance', view)).astype(int)
    assert sorted(np.unique(segmap)) == [0, 7, 300]


def test_gpds_samples_are_points_of_its_scene():
    # gpd_ros CloudSamples: the scene as a cloud, and samples on the object; of both,
    # gpd src/gpd/util/cloud.cpp removes NaN from the cloud alone.
    view = depth_view(Settings(target='cup'))
    cloud, samples = (points_of(made(name, view)) for name in ('points', 'target/points'))
    places = {point.tobytes() for point in cloud.ravel()}
    assert samples.size > 100
    assert all(point.tobytes() in places for point in samples.ravel())
    assert all(np.isfinite(samples[axis]).all() for axis in 'xyz')
