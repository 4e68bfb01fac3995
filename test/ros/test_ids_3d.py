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

"""An object keeps one id in 2D and 3D, for 300 frames and through an occlusion."""

import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.core.settings import Settings
from seg_ros.core.timing import Timing
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.registration import registered_depth
from seg_ros.ros.depth_view import DepthView
from seg_ros.ros.publishers import View
from seg_ros.temporal.temporal_filter import TemporalFilter
from std_msgs.msg import Header

SIZE_HW = (96, 160)
FRAMES, RATE_HZ = 300, 30
CARD = ModelCard('pair', 'instance', (ClassInfo(4, 'ball', (200, 9, 9), True),))
POST = slice(82, 94)      # hides three fifths of a ball that passes behind it
CAMERA = Intrinsics(130.0, 130.0, 79.5, 47.5, SIZE_HW)
SETTINGS = Settings(tracking=True)
PARTS = frozenset({'classes', 'instances', 'segments', 'confidence'})


def places(frame):
    """Place a static ball, one that comes and goes, and one that moves behind a post."""
    phase = abs((frame / 75) % 2 - 1)
    return {
        'still': (22, 30),
        'walker': (48, int(14 + 132 * phase)),
        'guest': (78, 120) if frame % 100 < 60 else None,
    }


def detected(frame, random):
    """Segment a frame with ids in any order, as from a network; a post hides columns."""
    ids, metres = np.zeros(SIZE_HW, np.uint16), np.full(SIZE_HW, 2.0, np.float32)
    shown = {name: place for name, place in places(frame).items() if place}
    numbers = random.permutation(len(shown)) + 1
    rows, columns = np.indices(SIZE_HW)
    for number, (row, column) in zip(numbers, shown.values(), strict=True):
        disc = (rows - row) ** 2 + (columns - column) ** 2 < 100
        ids[disc] = number
        metres[disc] = 1.5
    ids[36:60, POST], metres[36:60, POST] = 0, 1.2
    segments = []
    for number in np.unique(ids[ids > 0]).tolist():
        y, x = np.nonzero(ids == number)
        box = int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1
        segments.append(Segment(number, 4, 0.9, box, len(x)))
    classes = np.where(ids > 0, 4, 255).astype(np.uint8)
    confidence = np.where(ids > 0, 230, 0).astype(np.uint8)
    return Segmentation(SIZE_HW, 255, classes, confidence, ids, tuple(segments)), metres


@pytest.mark.slow
def test_ids_agree_in_every_frame_and_outlast_an_occlusion(vision_outputs):
    vision, points = vision_outputs
    outputs = {item.topic: item for item in (*vision.VISION, *points.POINTS)}
    random, temporal, header = np.random.default_rng(0), TemporalFilter(), Header()
    walker, still = set(), set()
    for frame in range(FRAMES):
        found, metres = detected(frame, random)
        stamp_ns = 10 ** 9 + frame * 10 ** 9 // RATE_HZ
        masks = temporal.update(found, stamp_ns, CARD, SETTINGS, PARTS, Timing())
        image = Frame(np.zeros((*SIZE_HW, 3), np.uint8), 'rgb', stamp_ns)
        view = View(
            frame=image, segmentation=masks, card=CARD, header=header, camera_info=None, step=1,
            alpha=0.5, rectified=False,
        )
        deep = DepthView(
            view, registered_depth(metres, SIZE_HW, 10.0), CAMERA, SETTINGS, lambda header: None
        )
        ids = set(np.unique(view.instance).tolist()) - {0}
        assert {int(item.id) for item in outputs['detections'].make(view).detections} == ids
        cloud = np.frombuffer(outputs['objects/points'].make(deep).data, '<u4').reshape(-1, 6)
        clouded = set(cloud[:, 5].tolist())
        # All depth of a sliver next to the post is at the depth edge between the two.
        whole = {item.id for item in masks.segments if item.area > 200}
        assert whole <= clouded <= ids
        boxes = outputs['detections_3d'].make(deep).detections
        measured = {item.segment.id for item in deep.objects if item.box is not None}
        assert {int(item.id) for item in boxes} == measured
        assert whole <= measured <= clouded
        markers = outputs['objects/markers'].make(deep).markers
        assert {marker.id for marker in markers} == measured
        row, column = places(frame)['walker']
        walker |= {int(view.instance[row, column])}
        still |= {int(view.instance[22, 30])}
    assert len(still) == 1
    assert len(walker - {0}) == 1
    assert 0 in walker      # behind the post
