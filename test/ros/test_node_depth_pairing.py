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

"""Streams of images and depth in the running node: each mask gets depth of its own stamp."""

from collections.abc import Callable
from threading import Event
from time import monotonic, sleep

from depth_rig import DEPTH, depth_message, MS, Rig, START_NS
import numpy as np
import pytest
from robot import channel_classes, channel_image, channel_network, PATIENCE_S, pixels, SIZE_HW
from seg_ros.depth.registration import registered_depth
from seg_ros.ros import camera, depth_input
from seg_ros.ros.publishers import CLASSES, Output, OutputPublisher
from seg_ros.ros.publishers import DEPTH as NEEDS_DEPTH
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import String


def pixels_at(index: int) -> np.ndarray:
    """Return an image that differs from the others of a stream."""
    return np.roll(channel_image(), index, 1)


def metres_at(index: int) -> float:
    return 1 + 0.01 * index


def stream(
    rig: Rig, images: int, period_ms: int, lag_ms: int, meanwhile: Callable[[], object] = object
) -> list[int]:
    """Send different images, and depth of the same stamps after a lag; return the stamps."""
    each, frame = rig.each, rig.each.image(stamp_ns=START_NS)
    for message, topic in ((frame, '/camera/image_raw'), (frame, DEPTH)):
        each.wait(each.publisher(topic, type(message)).get_subscription_count, topic)
    stamps_ns = [START_NS + index * period_ms * MS for index in range(images)]
    events = sorted(
        [(index * period_ms, 0, index) for index in range(images)]
        + [(index * period_ms + lag_ms, 1, index) for index in range(images)]
    )
    begin_s = monotonic()
    for due_ms, is_depth, index in events:
        meanwhile()
        sleep(max(0.0, begin_s + due_ms / 1000 - monotonic()))
        if is_depth:
            each.send(depth_message(each, stamps_ns[index], metres_at(index)), DEPTH)
        else:
            each.send(each.image(pixels_at(index), stamps_ns[index]))
    return stamps_ns


def stamps_of(messages):
    stamps = [message.header.stamp for message in messages]
    return [stamp.sec * 1000 * MS + stamp.nanosec for stamp in stamps]


def by_stamp(messages):
    found = list(messages)      # a copy, as more may be added meanwhile
    return dict(zip(stamps_of(found), found, strict=True))


def test_depth_is_registered_once_for_the_dynamic_mask_and_the_points(robot, monkeypatch):
    rig, registered = Rig(robot, ('points', PointCloud2), ('static/mask', Image)), []

    def register(*arguments):
        registered.append(registered_depth(*arguments))
        return registered[-1]

    monkeypatch.setattr(depth_input, 'registered_depth', register)
    count = len(stream(rig, 5, 200, -50))
    rig.each.wait(lambda: len(rig.found['points']) == count, 'the clouds')
    assert len(registered) == count
    rig.each.set_parameter('max_depth_m', 1.0)
    rig.send(1000)
    rig.each.wait(lambda: len(registered) == count + 1, 'the next depth')
    assert registered[-1].max_m == 1.0


def test_pairs_that_newer_ones_replace_are_counted(robot, monkeypatch):
    rig, gate = Rig(robot, ('points', PointCloud2)), Event()
    monkeypatch.setattr(OutputPublisher, 'message', lambda *_: gate.wait(PATIENCE_S) and None)
    try:
        stream(rig, 6, 200, 0)
        rig.each.wait(
            lambda: int(rig.each.diagnostics['camera'].get('depth_dropped_newer', 0)) > 1,
            'the count',
        )
    finally:
        gate.set()


def test_an_image_that_waits_for_its_depth_grows_by_no_overlay(robot, monkeypatch):
    offer, offered = depth_input.DepthInput.offer, []

    def noted(source, wanted, view):
        offered.append((view, view.nbytes))
        offer(source, wanted, view)

    monkeypatch.setattr(depth_input.DepthInput, 'offer', noted)
    rig = Rig(robot, ('points', PointCloud2), ('overlay', Image), ('color', Image))
    rig.each.send(rig.each.image(stamp_ns=START_NS))
    rig.each.wait(lambda: offered and all(map(rig.found.get, ('overlay', 'color'))), 'the images')
    assert [view.nbytes for view, _ in offered] == [nbytes for _, nbytes in offered]


def test_a_deferred_output_that_needs_depth_is_made_once_and_with_depth(robot, monkeypatch):
    made = Output(
        'made', String, CLASSES, lambda view: String(data=type(view).__name__),
        needs=NEEDS_DEPTH, deferred=True,
    )
    monkeypatch.setattr(camera, 'OUTPUTS', (*camera.OUTPUTS, made))
    rig = Rig(robot, ('made', String))
    rig.send()
    rig.each.wait(lambda: rig.found['made'], 'the message')
    sleep(0.3)
    assert [message.data for message in rig.found['made']] == ['DepthView']


def test_depth_that_comes_after_the_masks_of_later_images_is_paired_all_the_same(robot):
    rig = Rig(robot, ('points', PointCloud2), ('semantic', Image))
    stamps_ns = stream(rig, 20, 100, 250)
    rig.each.wait(lambda: len(rig.found['points']) >= 15, 'clouds of most images')
    assert set(stamps_of(rig.found['points'])) <= set(stamps_ns)
    assert stamps_of(rig.found['points']) == sorted(stamps_of(rig.found['points']))
    assert rig.each.words['camera'] == 'active'


@pytest.fixture
def people_model(tmp_path):
    """Compile the channel network with blue people."""
    from seg_ros.compile.compile_model import compile_model
    from seg_ros.core.card_reading import card_from_dict

    card = card_from_dict({
        'name': 'people', 'task': 'semantic', 'input': {'fit': 'stretch'},
        'classes': [
            {'id': 10, 'name': 'wall'}, {'id': 20, 'name': 'floor'},
            {'id': 30, 'name': 'person', 'roles': ['dynamic']},
        ],
    })
    path = tmp_path / 'people.model.onnx'
    compiled = compile_model(channel_network(tmp_path / 'channels.onnx'), card)
    path.write_bytes(compiled.SerializeToString())
    return str(path)


@pytest.mark.parametrize('hold_s', [0.0, 0.5])
def test_depth_that_comes_late_is_cut_by_the_masks_of_its_own_image(robot, people_model, hold_s):
    rig = Rig(
        robot, ('static/depth', Image), ('static/mask', Image), ('points', PointCloud2),
        model=people_model, static_hold_s=hold_s, static_dilate_px=0,
    )
    stamps_ns = stream(rig, 20, 100, 250)
    rig.each.wait(lambda: len(rig.found['points']) >= 15, 'clouds of most images')
    depths, clouds = by_stamp(rig.found['static/depth']), by_stamp(rig.found['points'])
    masks = by_stamp(rig.found['static/mask'])
    for stamp_ns, message in depths.items():
        index = stamps_ns.index(stamp_ns)
        depth, person = pixels(message), channel_classes(pixels_at(index)) == 30
        np.testing.assert_array_equal(depth == 0, pixels(masks[stamp_ns]) == 0)
        assert (depth[person] == 0).all()
        assert set(np.unique(depth)) <= {0, round(1000 * metres_at(index))}
        assert hold_s or (depth[~person] > 0).all()
    for stamp_ns, cloud in clouds.items():
        index = stamps_ns.index(stamp_ns)
        fields = {field.name: field.offset // 4 for field in cloud.fields}
        points = np.frombuffer(cloud.data, np.uint32).reshape(*SIZE_HW, -1)
        np.testing.assert_array_equal(
            points[..., fields['label']], channel_classes(pixels_at(index))
        )
        np.testing.assert_allclose(
            points[..., fields['z']].copy().view(np.float32), metres_at(index), atol=1e-4
        )


def test_masks_that_take_longer_than_a_dozen_depths_find_their_own(robot, monkeypatch):
    from seg_ros.ros import frame_path

    infer = frame_path.infer
    monkeypatch.setattr(frame_path, 'infer', lambda *frames: sleep(0.5) or infer(*frames))
    rig = Rig(robot, ('static/depth', Image), ('semantic', Image))
    stamps_ns = stream(rig, 80, 33, 0)
    rig.each.wait(lambda: len(rig.found['semantic']) >= 4, 'masks')
    rig.each.wait(
        lambda: stamps_of(rig.found['static/depth']) == stamps_of(rig.found['semantic']),
        'depth of every mask',
    )
    assert set(stamps_of(rig.found['semantic'])) <= set(stamps_ns)


def test_depth_that_comes_far_too_late_is_reported(robot):
    rig = Rig(robot, ('points', PointCloud2))
    said = []
    stream(rig, 40, 100, 1500, lambda: said.append(rig.each.words.get('camera', '')))
    assert any('or depth comes more than 1 s after the masks' in words for words in said)
    assert not rig.found['points']
