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

"""Outputs for SLAM and mapping: depth and masks without dynamic objects."""

import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.static import static_depth
from seg_ros.ros.conversions import image_message, mono8_from_mask
from seg_ros.ros.depth_view import DepthView
from seg_ros.ros.outputs.images import image_camera_info
from seg_ros.ros.publishers import CLASSES, DEPTH, DYNAMIC, Output, View
from sensor_msgs.msg import CameraInfo, Image


def _dynamic_mask(view: View) -> NDArray[np.uint8]:
    assert view.dynamic is not None
    return mono8_from_mask(view.dynamic)


def _static_mask(view: View) -> NDArray[np.uint8]:
    return np.asarray(~_dynamic_mask(view))


def _static_depth(view: DepthView) -> Image:
    dynamic = view.image_view.dynamic
    assert dynamic is not None
    return image_message(
        static_depth(view.depth.raw, dynamic), view.header, view.depth.encoding
    )


SLAM = (
    Output('static/depth', Image, CLASSES, _static_depth, DYNAMIC | DEPTH),
    Output('static/mask', Image, CLASSES, _static_mask, DYNAMIC),
    Output('static/camera_info', CameraInfo, frozenset(), image_camera_info),
    Output('dynamic/mask', Image, CLASSES, _dynamic_mask, DYNAMIC),
    Output('dynamic/camera_info', CameraInfo, frozenset(), image_camera_info),
)
