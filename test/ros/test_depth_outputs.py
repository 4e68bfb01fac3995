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

"""Depth outputs pass the checks of the consumers' own source code, which comments name."""

from dataclasses import replace
import struct

from depth_scene import (
    CARD,
    CUP,
    depth_view,
    EYE_M,
    FLOOR,
    HEADER,
    HEIGHT,
    image_of,
    made,
    MOUNTED,
    PERSON,
    PITCH,
    points_of,
    scene,
    WIDTH,
)
import numpy as np
import pytest
from seg_ros.core.settings import Settings
from seg_ros.ros.depth_advice import why_empty
from seg_ros.ros.outputs import OUTPUTS


@pytest.mark.parametrize('topic', [
    item.topic for item in OUTPUTS if item.needs and item.topic not in ('scan', 'free_space')
])
def test_every_message_has_the_images_header(topic):
    message = made(topic, depth_view(Settings(target='cup')))
    if topic == 'objects/markers':
        assert all(marker.header == HEADER for marker in message.markers)
    else:
        assert message.header == HEADER


@pytest.mark.parametrize('output', OUTPUTS, ids=[output.topic for output in OUTPUTS])
def test_an_output_is_the_same_where_only_the_parts_that_it_asks_for_were_made(output):
    settings = Settings(target='cup')
    whole, bare = depth_view(settings), depth_view(settings, parts=output.parts)
    if not output.needs_depth:
        whole, bare = whole.image_view, bare.image_view
    expected, found = output.make(whole), output.make(bare)
    if isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


def test_points_have_the_fields_that_hydra_and_rviz_read():
    # Hydra-ROS src/input/pointcloud_adaptor.cpp: an integer field `label`, and rgb.
    message = made('points', depth_view())
    assert [(field.name, field.datatype) for field in message.fields] == [
        ('x', 7), ('y', 7), ('z', 7), ('rgb', 7), ('label', 6), ('instance', 6)
    ]
    assert (message.height, message.width) == (HEIGHT, WIDTH)
    assert not message.is_dense
    points = points_of(message)
    metres, masks, _ = scene()
    np.testing.assert_array_equal(points['label'], masks.classes)
    np.testing.assert_array_equal(points['instance'], masks.instances)
    seen = metres > 0
    np.testing.assert_allclose(points['z'][seen], metres[seen], atol=1e-3)
    assert np.isnan(points['z'][~seen]).all()
    row, column = 130, 150
    offset = (row * WIDTH + column) * message.point_step + 12
    bits = struct.unpack_from('<I', message.data, offset)[0]
    assert [bits >> 16, bits >> 8 & 255, bits & 255] == (
        depth_view().image_view.frame.pixels[row, column].tolist()
    )


@pytest.mark.parametrize('kind', ['16UC1', '32FC1'])
def test_static_depth_keeps_the_encoding_and_is_zero_on_people(kind):
    # rtabmap Parameters.h: Mem/DepthAsMask and Vis/DepthAsMask; depth 0 is no feature.
    metres, masks, _ = scene()
    raw = (1000 * metres).astype(np.uint16) if kind == '16UC1' else metres
    message = made('static/depth', depth_view(raw=raw))
    assert message.encoding == kind
    found, person = image_of(message), masks.classes == PERSON
    assert not found[person].any()
    np.testing.assert_array_equal(found[~person], raw[~person])


def test_static_and_dynamic_masks_are_each_others_opposite_with_their_camera_info():
    # nvblox_ros image_conversions.cpp takes only mono8, and needs the mask's own camera_info.
    view = depth_view()
    static, dynamic = (image_of(made(topic, view)) for topic in ('static/mask', 'dynamic/mask'))
    person = scene()[1].classes == PERSON
    np.testing.assert_array_equal(dynamic, np.where(person, 255, 0))
    np.testing.assert_array_equal(static, 255 - dynamic)
    for topic in ('static/camera_info', 'dynamic/camera_info', 'scene/camera_info'):
        info = made(topic, view)
        assert (info.height, info.width) == dynamic.shape
        assert info.header == HEADER
    blind = replace(view, image_view=replace(view.image_view, camera_info=None))
    assert made('static/camera_info', blind) is None


@pytest.mark.parametrize(('topic', 'width'), [
    ('camera_info', WIDTH // 2), ('static/camera_info', WIDTH), ('scene/camera_info', WIDTH),
])
def test_a_camera_info_has_the_size_of_its_images_and_no_distortion_once_rectified(topic, width):
    view = depth_view()
    view.image_view.camera_info.d = [0.1] * 5
    for rectified, distortion in ((False, 0.1), (True, 0.0)):
        message = made(topic, replace(view, image_view=replace(
            view.image_view, step=2, rectified=rectified
        )))
        assert message.width == width
        np.testing.assert_array_equal(message.d, [distortion] * 5)


@pytest.mark.parametrize('topic', ['static/depth', 'scene/depth', 'dynamic/mask'])
def test_image_transports_camera_subscribers_find_camera_info_beside_an_image(topic):
    # image_transport camera_common.cpp getCameraInfoTopic: the last name becomes camera_info.
    # moveit_ros_perception depth_image_octomap_updater.cpp and nvblox subscribe like this.
    beside = topic.rsplit('/', 1)[0] + '/camera_info'
    view = depth_view()
    image, info = made(topic, view), made(beside, view)
    height, width = image.shape if isinstance(image, np.ndarray) else (image.height, image.width)
    assert (info.height, info.width) == (height, width)
    assert info.header == HEADER


def buffer_segmentation(cloud, mask, confidence, known_ids):
    """
    Do what Nav2's layer does with a bundle, in the plane.

    semantic_segmentation_layer src/segmentation_layer.cpp drops a cloud whose width * height is
    not the mask's; src/segmentation_buffer.cpp bufferSegmentation walks both together, takes
    data[v * width + u] whatever `step` says, skips points whose z is not finite, keeps the most
    confident pixel of each tile and the classes of label_info alone.
    """
    assert cloud.width * cloud.height == mask.width * mask.height
    assert (mask.header.stamp, confidence.header.stamp) == (cloud.header.stamp,) * 2
    points, tiles = points_of(cloud).ravel(), {}
    for v in range(mask.height):
        for u in range(mask.width):
            index = v * mask.width + u
            x, y, z = points['x'][index], points['y'][index], points['z'][index]
            if not np.isfinite(z):
                continue
            tile = int(x / 0.05), int(y / 0.05), int(z / 0.05)
            if tile not in tiles or confidence.data[index] > confidence.data[tiles[tile]]:
                tiles[tile] = index
    return {mask.data[index] for index in tiles.values() if mask.data[index] in known_ids}


@pytest.mark.parametrize('stride', [1, 4])
def test_navs_layer_finds_every_class_in_the_bundle(stride):
    view = depth_view(Settings(cloud_stride=stride))
    cloud, mask, confidence = (
        made(f'nav2/{name}', view) for name in ('points', 'mask', 'confidence')
    )
    assert mask.encoding == confidence.encoding == 'mono8'
    assert mask.step == mask.width
    masks = scene()[1]
    np.testing.assert_array_equal(image_of(mask), masks.classes[::stride, ::stride])
    np.testing.assert_array_equal(image_of(confidence), masks.confidence[::stride, ::stride])
    assert buffer_segmentation(cloud, mask, confidence, {FLOOR, CUP, PERSON}) == {
        FLOOR, CUP, PERSON
    }


def test_obstacles_and_ground_share_the_cloud_between_them():
    view = depth_view()
    obstacles, ground = (
        points_of(made(f'{name}/points', view))[0] for name in ('obstacles', 'ground')
    )
    assert set(obstacles['label'].tolist()) == {CUP, PERSON}
    assert set(ground['label'].tolist()) == {FLOOR}
    metres, masks, _ = scene()
    assert len(ground) == ((masks.classes == FLOOR) & (metres > 0)).sum()


def obstacle_bearings(view):
    """Return the bearings and distances of the points of obstacles from the camera's foot."""
    points = points_of(made('obstacles/points', view))[0]
    optical = np.stack([points[axis] for axis in 'xyz'])
    x, y, _ = MOUNTED[:3, :3] @ optical
    return np.arctan2(y, x), np.hypot(x, y)


def test_the_scan_sees_the_person_where_the_person_stands():
    message = made('scan', depth_view())
    ranges = np.array(message.ranges)
    angles = message.angle_min + message.angle_increment * np.arange(len(ranges))
    assert message.angle_max == pytest.approx(angles[-1], abs=1e-5)
    assert message.header.frame_id == 'optical_ground'
    assert message.header.stamp == HEADER.stamp
    bearings, distances = obstacle_bearings(depth_view())
    hit, step = np.isfinite(ranges), message.angle_increment
    assert not hit.all()
    assert ranges[hit].min() == pytest.approx(distances.min(), rel=0.01)
    assert bearings.min() - step <= angles[hit].min()
    assert angles[hit].max() <= bearings.max() + step
    person = bearings < -0.2    # to the right
    assert 0 < person.mean() < 1
    nearest = min(ranges[angles < -0.2])
    assert nearest == pytest.approx(distances[person].min(), rel=0.01)


def test_free_space_is_a_grid_of_the_base_frame():
    pytest.importorskip('nav_msgs', reason='nav_msgs is not installed')
    message = made('free_space', depth_view())
    assert message.header.frame_id == 'base_link'
    cells = np.array(message.data, np.int8).reshape(message.info.height, message.info.width)
    assert set(np.unique(cells)) == {-1, 0, 100}
    assert message.info.origin.position.x == -5
    assert message.info.resolution == pytest.approx(0.05)
    rows, columns = np.nonzero(cells == 100)
    x = message.info.origin.position.x + 0.05 * columns
    y = message.info.origin.position.y + 0.05 * rows
    bearings, distances = obstacle_bearings(depth_view())
    expected = distances * (np.cos(bearings), np.sin(bearings))
    apart = np.hypot(*(np.stack([x, y])[:, :, None] + 0.025 - expected[:, None]))
    assert apart.min(axis=1).max() < 0.05       # where the obstacles are, and nowhere else
    assert apart.min(axis=0).max() < 0.1


def test_tf_takes_the_place_of_the_fit():
    view = depth_view(Settings(ground='tf'), transform_of=lambda header: MOUNTED)
    assert view.ground_plane.offset_m == EYE_M
    np.testing.assert_array_equal(view.base_from_optical, MOUNTED)
    fitted = depth_view()
    np.testing.assert_allclose(fitted.ground_plane.normal, view.ground_plane.normal, atol=0.01)


@pytest.mark.parametrize('ground', ['fit', 'tf'])
def test_while_tf_has_no_transform_there_is_no_free_space_and_the_rest_goes_on(ground):
    pytest.importorskip('nav_msgs', reason='nav_msgs is not installed')
    view = depth_view(Settings(ground=ground), transform_of=lambda header: None)
    assert made('free_space', view) is None
    assert made('scan', view).header.frame_id == 'optical_ground'
    assert why_empty(view, {'free_space', 'scan'}, 'not yet') == 'no free_space: not yet'
    assert why_empty(view, {'scan'}, 'not yet') == ('' if ground == 'fit' else 'not yet')


def test_a_scan_announces_ranges_from_the_foot_of_the_camera_to_the_range_of_depth():
    # laser_geometry drops ranges below range_min; a camera may look straight down.
    message = made('scan', depth_view(Settings(max_depth_m=1.0)))
    assert np.isfinite(message.ranges).any()
    assert (message.range_min, message.range_max) == (0.0, 1.0)


def test_level_is_as_tf_says_before_it_is_as_the_pitch_says():
    settings = Settings(camera_pitch_deg=-20.0, camera_height_m=0.5)
    fitted = depth_view(settings, transform_of=lambda header: MOUNTED)
    assert fitted.ground_plane.offset_m == pytest.approx(EYE_M, abs=0.01)
    blind = depth_view(settings, transform_of=lambda header: MOUNTED)
    blind.segmentation.classes[:] = 255
    assert blind.ground_plane.offset_m == 0.5
    np.testing.assert_allclose(blind.ground_plane.normal, MOUNTED[2, :3])


def test_what_objects_stand_on_is_level_by_tf_and_by_the_ground_without_it():
    view = depth_view()
    up = np.array([0, -np.cos(PITCH), -np.sin(PITCH)])
    assert view.supports
    for plane in view.supports:
        np.testing.assert_allclose(plane.normal, up, atol=0.02)
    # With a base frame whose z axis is horizontal, the floor appears as a wall.
    across = np.eye(4)
    across[:3, :3] = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]
    assert depth_view(transform_of=lambda header: across).supports == ()


def test_without_floor_in_sight_the_cameras_height_is_taken_or_nothing_is_said():
    for height_m in (0.0, EYE_M):
        view = depth_view(Settings(
            camera_height_m=height_m, camera_pitch_deg=float(np.rad2deg(PITCH))
        ))
        view.segmentation.classes[view.segmentation.classes == FLOOR] = 255
        if not height_m:
            assert made('scan', view) is None
            assert made('obstacles/points', view) is None
            assert 'too few traversable pixels with depth; set' in why_empty(view, {'scan'}, '')
        else:
            fitted = depth_view().ground_plane
            np.testing.assert_allclose(view.ground_plane.normal, fitted.normal, atol=0.01)


def test_the_elevation_map_gets_a_layer_for_each_class():
    # elevation_mapping_cupy elevation_mapping_node.py image_callback: a frame id, channels that
    # cv_bridge gives by `passthrough` and that are split one by one, as many as are configured;
    # K, height and width are those of the camera_info.
    view = depth_view()
    message = made('elevation/channels', view)
    info = made('camera_info', view)
    assert message.header.frame_id
    assert message.encoding == '32FC3'
    image = np.frombuffer(message.data, '<f4').reshape(message.height, message.width, 3)
    assert message.step == 12 * message.width
    assert (info.height, info.width) == image.shape[:2]
    assert info.header.stamp == message.header.stamp
    classes = scene()[1].classes
    for channel, info in enumerate(CARD.classes):
        np.testing.assert_allclose(
            image[..., channel], np.where(classes == info.id, 200 / 255, 0), rtol=1e-6
        )
