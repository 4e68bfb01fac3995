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

"""Masks as images, raw and compressed, and their camera_info."""

from operator import attrgetter
from typing import Any

from seg_ros.image.file_writing import encode_jpeg, encode_png
from seg_ros.ros.camera_info import scaled_camera_info
from seg_ros.ros.conversions import compressed_message
from seg_ros.ros.publishers import CLASSES, INSTANCES, MAPS, Output, View
from sensor_msgs.msg import CameraInfo, CompressedImage, Image


def _png(array: Any, view: View) -> CompressedImage:
    return compressed_message(encode_png(array), 'png', view.header)


def mask_camera_info(view: View) -> CameraInfo | None:
    """Return the camera_info of outputs that keep every `View.step`-th pixel."""
    return _camera_info(view, view.step)


def image_camera_info(view: View) -> CameraInfo | None:
    """Return the camera_info of outputs at the size of the camera image."""
    return _camera_info(view, 1)


def _camera_info(view: View, step: int) -> CameraInfo | None:
    if view.camera_info is None:
        return None
    return scaled_camera_info(
        view.camera_info, view.header.stamp, step, rectified=view.rectified
    )


IMAGES = (
    Output('semantic', Image, CLASSES, attrgetter('semantic')),
    Output('confidence', Image, CLASSES | {'confidence'}, attrgetter('confidence')),
    Output('instance', Image, INSTANCES, attrgetter('instance')),
    Output('panoptic', Image, MAPS, attrgetter('panoptic')),
    Output('camera_info', CameraInfo, frozenset(), mask_camera_info),
    Output('color', Image, CLASSES, attrgetter('color'), deferred=True),
    Output('overlay', Image, MAPS, attrgetter('overlay'), deferred=True),
    Output(
        'semantic/compressed', CompressedImage, CLASSES,
        lambda view: _png(view.semantic, view), deferred=True,
    ),
    Output(
        'instance/compressed', CompressedImage, INSTANCES,
        lambda view: _png(view.instance, view), deferred=True,
    ),
    Output(
        'color/compressed', CompressedImage, CLASSES,
        lambda view: _png(view.color, view), deferred=True,
    ),
    Output(
        'overlay/compressed', CompressedImage, MAPS,
        lambda view: compressed_message(encode_jpeg(view.overlay), 'jpeg', view.header),
        deferred=True,
    ),
)
