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

"""A cup and a person on a floor, as the depth outputs see them, and how consumers unpack these."""

from dataclasses import replace

import numpy as np
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import marked, Segment, Segmentation
from seg_ros.core.settings import Settings
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.registration import registered_depth
from seg_ros.masks.postprocess_context import PARTS
from seg_ros.ros.conversions import image_message
from seg_ros.ros.depth_view import DepthView
from seg_ros.ros.outputs import OUTPUTS
from seg_ros.ros.publishers import View
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

FLOOR, CUP, PERSON = 0, 3, 5
CARD = ModelCard('room', 'panoptic', (
    ClassInfo(FLOOR, 'floor', (9, 9, 9), roles=('traversable',)),
    ClassInfo(CUP, 'cup', (200, 9, 9), True, ('graspable',)),
    ClassInfo(PERSON, 'person', (9, 9, 200), True, ('dynamic',)),
))
HEIGHT, WIDTH, FOCAL = 240, 320, 260.0
EYE_M, PITCH = 0.8, 0.7
HEADER = Header(frame_id='optical')
HEADER.stamp.sec, HEADER.stamp.nanosec = 12, 345


def scene():
    """View from 0.8 m a floor with a cup on it and a person standing in front of the camera."""
    camera = Intrinsics(FOCAL, FOCAL, 159.5, 119.5, (HEIGHT, WIDTH))
    down = (np.arange(HEIGHT) - camera.cy)[:, None] / FOCAL
    with np.errstate(divide='ignore'):
        floor = EYE_M / (np.cos(PITCH) * down + np.sin(PITCH))
    metres = np.where((floor > 0) & (floor < 6), floor, 0) * np.ones((1, WIDTH))
    ids = np.zeros((HEIGHT, WIDTH), np.uint16)
    classes = np.where(metres > 0, FLOOR, 255).astype(np.uint8)
    for number, kind, rows, columns, share in (
        (7, CUP, slice(120, 160), slice(140, 180), 0.9),
        (300, PERSON, slice(20, 200), slice(220, 280), 0.7),
    ):
        ids[rows, columns] = number
        classes[rows, columns] = kind
        metres[rows, columns] *= share
    segments = tuple(
        Segment(number, kind, 0.9, box, int((ids == number).sum()))
        for number, kind, box in (
            (7, CUP, (140, 120, 180, 160)), (300, PERSON, (220, 20, 280, 200)),
        )
    )
    confidence = np.where(classes == 255, 0, 200).astype(np.uint8)
    masks = Segmentation((HEIGHT, WIDTH), 255, classes, confidence, ids, segments)
    return metres.astype(np.float32), masks, camera


MOUNTED = np.eye(4)     # base_link from the optical frame, as TF would give it
MOUNTED[:3, :3] = [
    [0, -np.sin(PITCH), np.cos(PITCH)], [-1, 0, 0], [0, -np.cos(PITCH), -np.sin(PITCH)],
]
MOUNTED[:3, 3] = 0.2, 0.0, EYE_M


def depth_view(settings=None, raw=None, transform_of=None, card=CARD, parts=PARTS):
    """
    Return a view of the scene.

    :param transform_of: None as without tf2_ros.
    :param parts: of the masks, the others are None.
    """
    metres, masks, camera = scene()
    masks = replace(masks, **dict.fromkeys(PARTS - parts))
    rgb = np.random.RandomState(0).randint(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    info = CameraInfo(header=HEADER, height=HEIGHT, width=WIDTH)
    info.k = [FOCAL, 0.0, 159.5, 0.0, FOCAL, 119.5, 0.0, 0.0, 1.0]
    dynamic = card.ids_with_role('dynamic')
    view = View(
        frame=Frame(rgb), segmentation=masks, card=card, header=HEADER, camera_info=info, step=1,
        alpha=0.5, rectified=False,
        dynamic=None if masks.classes is None else marked(masks.classes, dynamic),
    )
    raw = (1000 * metres).astype(np.uint16) if raw is None else raw
    settings = settings or Settings()
    depth = registered_depth(raw, (HEIGHT, WIDTH), settings.max_depth_m)
    return DepthView(view, depth, camera, settings, transform_of)


def made(topic, view):
    """Make a topic's message as the node does."""
    (output,) = [item for item in OUTPUTS if item.topic == topic]
    message = output.make(view if output.needs_depth else view.image_view)
    return image_message(message, HEADER) if isinstance(message, np.ndarray) else message


def points_of(message):
    """Unpack a cloud by its own fields, as sensor_msgs::PointCloud2Iterator does."""
    kinds = {7: '<f4', 6: '<u4'}
    dtype = np.dtype({
        'names': [field.name for field in message.fields],
        'formats': [kinds[field.datatype] for field in message.fields],
        'offsets': [field.offset for field in message.fields],
        'itemsize': message.point_step,
    })
    assert message.row_step == message.point_step * message.width
    assert len(message.data) == message.row_step * message.height
    assert not message.is_bigendian
    return np.frombuffer(message.data, dtype).reshape(message.height, message.width)


def image_of(message):
    kind = {'mono8': '<u1', '16UC1': '<u2', '32FC1': '<f4'}[message.encoding]
    return np.frombuffer(message.data, kind).reshape(message.height, message.width)
