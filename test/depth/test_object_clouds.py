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

"""Object clouds of ray-cast boxes: their points, positions and sizes."""

import numpy as np
import pytest
from ray_cast import Box, Scene
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.depth.cloud import labelled_cloud, POINT
from seg_ros.depth.ground import fit_ground
from seg_ros.depth.interior import depth_discontinuities
from seg_ros.depth.objects import joined, object_clouds
from seg_ros.depth.support import support_planes
from seg_ros.sim.classes import CARD, FLOOR, SUPPORT

BOXES = [
    Box(0.75, -0.25, (0.12, 0.08, 0.10), 0.4), Box(0.9, 0.05, (0.06, 0.06, 0.15), 1.1),
    Box(1.1, 0.3, (0.2, 0.1, 0.06), -0.6), Box(0.72, 0.2, (0.05, 0.16, 0.04), 0.2),
]


def table(boxes=None, **changes):
    return Scene(boxes or BOXES, eye=(0, 0, 0.8), pitch=0.75, size_hw=(480, 640), focal=525.0,
                 **changes)


def cloud_of(scene, segmentation=None):
    frame = Frame(np.zeros((*scene.ids.shape, 3), np.uint8))
    return labelled_cloud(scene.metres, scene.camera, frame, segmentation or scene.segmentation())


@pytest.fixture(scope='module')
def scene():
    return table()


def test_an_object_has_the_points_of_its_eroded_mask_without_jumps(scene):
    clouds = object_clouds(cloud_of(scene), scene.segmentation(), 3, 525.0)
    assert [item.segment.id for item in clouds] == [1, 2, 3, 4]
    jumps = depth_discontinuities(scene.metres)
    lifted = scene.lifted().astype(np.float32)
    for item in clouds:
        mask = scene.ids == item.segment.id
        padded = np.pad(mask, 3)
        kept = np.logical_and.reduce([
            padded[y:y + 480, x:x + 640] for y in range(7) for x in range(7)
        ]) & ~jumps
        assert len(item.points) == kept.sum()
        np.testing.assert_allclose(scene.world(item.xyz), lifted[kept], atol=1e-5)
        assert set(item.points['instance']) == {item.segment.id}
        np.testing.assert_allclose(
            scene.world(item.centroid), lifted[kept].mean(0), atol=1e-5
        )
        assert item.depth_share == 1


def test_boxes_on_the_table_have_the_sizes_and_places_of_the_bodies(scene):
    segmentation = scene.segmentation()
    planes = support_planes(scene.metres, scene.camera, segmentation, CARD)
    assert np.arccos(planes[0].normal @ scene.rotation.T @ (0, 0, 1)) < 0.005
    for item, body in zip(
        object_clouds(cloud_of(scene), segmentation, 3, 525.0, planes), BOXES, strict=True
    ):
        assert item.box.size_m[2] == pytest.approx(body.size[2], abs=0.006)
        np.testing.assert_allclose(
            np.sort(item.box.size_m[:2]), np.sort(body.size[:2]), atol=0.012
        )
        np.testing.assert_allclose(scene.world(item.box.centre), body.centre, atol=0.01)
        assert abs(item.box.size_m.prod() / np.prod(body.size) - 1) < 0.25


def test_each_object_stands_on_the_plane_below_it():
    table = Box(1.4, 0.3, (0.6, 0.6, 0.5), class_id=SUPPORT)
    bodies = [Box(1.3, 0.25, (0.08, 0.08, 0.12), base=0.5), Box(1.2, -0.35, (0.2, 0.2, 0.3))]
    seen = Scene([*bodies, table], eye=(0, 0, 1.2), pitch=0.6, size_hw=(480, 640), focal=525.0,
                 floor=FLOOR)
    seen.ids[seen.ids == 3] = 0
    seen.boxes.pop()
    ground = fit_ground(seen.metres, seen.camera, seen.classes, CARD).plane
    segmentation = seen.segmentation()
    planes = support_planes(seen.metres, seen.camera, segmentation, CARD, ground)
    found = object_clouds(cloud_of(seen), segmentation, 3, 525.0, planes)
    for item, body, base in zip(found, bodies, (0.5, 0.0), strict=True):
        assert item.plane.offset_m == pytest.approx(1.2 - base, abs=0.005)
        assert item.box.size_m[2] == pytest.approx(body.size[2], abs=0.006)
        np.testing.assert_allclose(seen.world(item.box.centre), body.centre, atol=0.012)


@pytest.mark.parametrize('height_m', [0.04, 0.1, 0.3])
def test_what_is_taller_than_wide_has_its_height_from_straight_above(height_m):
    bodies = [Box(x, 0.05, (0.07, 0.07, height_m)) for x in (-0.12, 0.0, 0.12)]
    seen = Scene(bodies, eye=(0, 0, 1.0), pitch=np.pi / 2, size_hw=(480, 640), focal=525.0)
    planes = support_planes(seen.metres, seen.camera, seen.segmentation(), CARD)
    found = object_clouds(cloud_of(seen), seen.segmentation(), 3, 525.0, planes)
    for item, body in zip(found, bodies, strict=True):
        assert item.box.size_m[2] == pytest.approx(height_m, abs=0.006)
        np.testing.assert_allclose(seen.world(item.box.centre), body.centre, atol=0.01)


def test_a_mask_that_reaches_beyond_its_object_makes_the_box_no_longer(scene):
    segmentation = scene.segmentation()
    planes = support_planes(scene.metres, scene.camera, segmentation, CARD)
    instances = segmentation.instances.copy()
    top, left = np.argwhere(instances == 2).min(axis=0)
    behind = np.zeros_like(instances, bool)
    behind[top - 25:top, left:left + 40] = True
    instances[behind & (instances == 0)] = 2
    area = int((instances == 2).sum())
    segments = tuple(
        Segment(item.id, item.class_id, item.score, item.xyxy, area if item.id == 2 else item.area)
        for item in segmentation.segments
    )
    loose = Segmentation(
        segmentation.size_hw, 255, segmentation.classes, segmentation.confidence, instances,
        segments,
    )
    item = object_clouds(cloud_of(scene, loose), loose, 3, 525.0, planes)[1]
    np.testing.assert_allclose(np.sort(item.box.size_m[:2]), (0.06, 0.06), atol=0.012)
    assert item.box.size_m[2] == pytest.approx(0.15, abs=0.006)
    assert item.quality < 0.85


def test_a_thin_object_keeps_the_edge_that_erosion_would_leave_nothing_of(scene):
    pen = table([Box(0.8, 0.0, (0.12, 0.003, 0.003)), BOXES[0]])
    clouds = object_clouds(cloud_of(pen), pen.segmentation(), 3, 525.0)
    assert len(clouds[0].points) == (pen.ids == 1).sum()
    assert len(clouds[1].points) < (pen.ids == 2).sum()


def test_flying_pixels_between_two_surfaces_are_in_no_cloud(scene):
    metres = scene.metres.copy()
    ids = scene.ids
    edge = np.zeros(ids.shape, bool)
    edge[:, 1:] = (ids[:, 1:] != ids[:, :-1]) & (ids[:, 1:] == 2)
    metres[edge] += 0.05    # midway to the background
    frame = Frame(np.zeros((480, 640, 3), np.uint8))
    cloud = labelled_cloud(metres, scene.camera, frame, scene.segmentation())
    item = object_clouds(cloud, scene.segmentation(), 0, 525.0)[1]
    flying = metres[edge]
    assert len(item.points) > 0.8 * item.segment.area
    assert not np.isin(item.points['z'], flying).any()


def test_an_object_without_depth_has_no_cloud_and_one_with_holes_says_how_many(scene):
    metres = scene.metres.copy()
    metres[scene.ids == 2] = np.nan
    rows, columns = np.nonzero(scene.ids == 1)
    metres[rows[::2], columns[::2]] = np.nan
    frame = Frame(np.zeros((480, 640, 3), np.uint8))
    cloud = labelled_cloud(metres, scene.camera, frame, scene.segmentation())
    clouds = object_clouds(cloud, scene.segmentation(), 3, 525.0)
    assert [item.segment.id for item in clouds] == [1, 3, 4]
    assert clouds[0].depth_share == pytest.approx(0.5, abs=0.001)
    assert clouds[0].quality == len(clouds[0].points) / clouds[0].segment.area


def test_the_clouds_come_in_the_order_of_the_segments(scene):
    segmentation = scene.segmentation()
    turned = Segmentation(
        segmentation.size_hw, 255, segmentation.classes, segmentation.confidence,
        segmentation.instances, segmentation.segments[::-1],
    )
    clouds = object_clouds(cloud_of(scene), turned, 3, 525.0)
    assert [item.segment.id for item in clouds] == [4, 3, 2, 1]
    assert set(clouds[0].points['instance']) == {4}
    np.testing.assert_array_equal(
        joined(clouds), np.concatenate([item.points for item in clouds])
    )


def test_few_points_make_a_cloud_without_a_box():
    ids = np.zeros((40, 40), np.uint16)
    ids[10:12, 10:13] = 9
    maps = Segmentation(
        (40, 40), 255, None, None, ids, (Segment(9, 3, 0.5, (10, 10, 13, 12), 6),)
    )
    scene = Scene([], size_hw=(40, 40))
    item = object_clouds(cloud_of(scene, maps), maps, 3, 130.0)[0]
    assert len(item.points) == 6
    assert item.box is None


def test_an_image_without_instances_gives_no_clouds():
    scene = Scene([], size_hw=(40, 40))
    assert object_clouds(cloud_of(scene), scene.segmentation(), 3, 130.0) == []
    assert joined([]).dtype == POINT


def test_objects_of_any_turn_keep_orthogonal_axes_with_the_widest_spread_first(scene):
    for item in object_clouds(cloud_of(scene), scene.segmentation(), 3, 525.0):
        np.testing.assert_allclose(item.axes @ item.axes.T, np.eye(3), atol=1e-9)
        spread = np.std(item.xyz @ item.axes.T, axis=0)
        assert spread[0] >= spread[1] >= spread[2]


def test_boxes_without_a_plane_lie_along_the_points_axes(scene):
    item = object_clouds(cloud_of(scene), scene.segmentation(), 3, 525.0)[0]
    np.testing.assert_allclose(np.abs(item.box.axes @ item.axes.T), np.eye(3), atol=0.2)


@pytest.mark.parametrize(('xyxy', 'cut'), [
    ((0, 50, 20, 70), True), ((140, 50, 160, 70), True), ((50, 0, 70, 20), True),
    ((50, 100, 70, 120), True), ((1, 1, 159, 119), False),
])
def test_an_object_at_any_edge_of_the_image_counts_as_cut(xyxy, cut):
    scene = Scene([], pitch=np.pi / 2)
    x0, y0, x1, y1 = xyxy
    scene.ids[y0:y1, x0:x1] = 1
    segment = Segment(1, 3, 0.9, xyxy, (x1 - x0) * (y1 - y0))
    masks = Segmentation((120, 160), instances=scene.ids, segments=(segment,))
    (item,) = object_clouds(cloud_of(scene, masks), masks, 2, 130.0)
    assert item.cut is cut
