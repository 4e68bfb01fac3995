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

"""Conversions between ROS messages and the types of the data path."""

import re
from typing import Any

import cv2
from geometry_msgs.msg import Point, Pose, Quaternion
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ImageError
from seg_ros.core.frame import Frame
from seg_ros.core.shown import shown
from seg_ros.depth.boxes import quaternion_xyzw
from seg_ros.depth.cloud import FIELDS, POINT
from seg_ros.image.brightness_range import BrightnessRange
from seg_ros.image.encodings import (
    canonical_encoding,
    ENCODINGS,
    FILES,
    frame_from_bytes,
    frame_from_file,
    REFUSED,
)
from sensor_msgs.msg import CompressedImage, Image, PointCloud2, PointField
from std_msgs.msg import Header

_MASKS = {'u1': 'mono8', 'u2': '16UC1', 'i4': '32SC1', 'f4': '32FC1'}
_VIDEO = re.compile(r'[hx]\.?26[45]|hevc|vp[89]|av1|theora', re.IGNORECASE)


def stamp_ns(stamp: Any) -> int:
    """Return a builtin_interfaces Time in nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def frame_from_message(message: Any, brightness: BrightnessRange | None = None) -> Frame:
    """
    Convert an image message.

    :param message: sensor_msgs Image or CompressedImage.
    :param brightness: range of the camera's 16-bit samples. Defaults to all 16 bits.
    :raises ImageError: if the message is inconsistent or its encoding is unknown.
    """
    if isinstance(message, CompressedImage):
        return frame_from_compressed(message, brightness)
    return frame_from_image(message, brightness)


def frame_from_image(message: Any, brightness: BrightnessRange | None = None) -> Frame:
    """
    Convert a sensor_msgs Image; `image.encodings` describes which encodings are copied.

    Encodings unknown to `image.encodings` are converted by cv_bridge.

    :param message: an rclpy message, or any object with the same fields and a buffer as `data`.
    :param brightness: range of the camera's 16-bit samples. Defaults to all 16 bits.
    :raises ImageError: if the message is inconsistent or its encoding cannot be read.
    """
    encoding = canonical_encoding(message.encoding)
    if encoding and encoding not in ENCODINGS and encoding not in (*REFUSED, *FILES):
        return _frame_by_cv_bridge(message)
    return frame_from_bytes(
        message.data,
        (message.height, message.width),
        message.encoding,
        message.step,
        big_endian=bool(message.is_bigendian),
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        brightness=brightness,
    )


def _frame_by_cv_bridge(message: Any) -> Frame:
    seen = f'image encoding {shown(message.encoding)}'
    expected = f'one of {", ".join(ENCODINGS)}, or one that cv_bridge can turn into rgb8'
    try:
        from cv_bridge import CvBridge, CvBridgeError
    except Exception as error:  # a cv_bridge built for another numpy may raise anything
        do = f'set the camera driver to one of these, or install cv_bridge ({error})'
        raise ImageError(seen, expected, do) from error
    try:
        pixels = CvBridge().imgmsg_to_cv2(message, 'rgb8')
    # cv_bridge also raises errors of numpy and OpenCV, for example if the data are too short.
    except (CvBridgeError, cv2.error, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ImageError(f'{seen}: {error}', expected) from error
    stamp = stamp_ns(message.header.stamp)
    return Frame(np.asarray(pixels), 'rgb', stamp, message.header.frame_id)


def frame_from_compressed(message: Any, brightness: BrightnessRange | None = None) -> Frame:
    """
    Decode a sensor_msgs CompressedImage.

    :param brightness: range of the camera's 16-bit samples. Defaults to all 16 bits.
    :raises ImageError: if it is depth, video, damaged, or not an image.
    """
    seen, wanted = f'compressed image of format {shown(message.format)}', 'an image as jpeg or png'
    if 'compressedDepth' in message.format:
        raise ImageError(seen, wanted, "subscribe to the camera's image: this is depth")
    if _VIDEO.search(message.format):
        raise ImageError(
            seen, wanted, 'this is video: decode it first, for example with image_transport '
            'republish'
        )
    return frame_from_file(
        message.data,
        message.format,
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        brightness=brightness,
    )


def depth_from_image(message: Any) -> NDArray[Any]:
    """
    Return the samples of a depth image.

    :param message: sensor_msgs Image with the encoding 16UC1 or 32FC1, in upper or lower case;
        mono16 and Z16 are read as 16UC1.
    :returns: uint16 or float32 (H, W) in the message's byte order, a view of its data.
    :raises ImageError: if it has another encoding, or its sizes are inconsistent.
    """
    kinds = {'16uc1': 'u2', 'mono16': 'u2', 'z16': 'u2', '32fc1': 'f4'}
    encoding = message.encoding.strip(' \0').lower()
    size = f'depth image of {message.width} x {message.height}'
    if encoding not in kinds:
        raise ImageError(
            f'{size} with encoding {shown(message.encoding)}',
            '16UC1 in millimetres or 32FC1 in metres (REP 118)', "set the depth driver's encoding",
        )
    kind = np.dtype(('>' if message.is_bigendian else '<') + kinds[encoding])
    height, width, step = message.height, message.width, message.step
    if not height * width or step < width * kind.itemsize or len(message.data) != height * step:
        raise ImageError(
            f'{size} with step {step} and {len(message.data)} bytes',
            f'{height or "some"} rows of {width * kind.itemsize or "some"} or more bytes',
            'correct the image size and step in the depth driver',
        )
    strides = (step, kind.itemsize)
    return np.asarray(np.ndarray((height, width), kind, message.data, strides=strides))


def cloud_message(points: NDArray[np.void], header: Header) -> PointCloud2:
    """
    Convert points to a PointCloud2.

    :param points: `POINT` (H, W) for an organised cloud, or (N,).
    :param header: header of the message.
    """
    packed = np.ascontiguousarray(points)
    height, width = packed.shape if packed.ndim == 2 else (1, len(packed))
    kinds = {'<f4': PointField.FLOAT32, '<u4': PointField.UINT32}
    message = PointCloud2(
        header=header, height=height, width=width, is_bigendian=False,
        point_step=POINT.itemsize, row_step=POINT.itemsize * width, is_dense=packed.ndim == 1,
        fields=[
            PointField(name=name, offset=4 * number, datatype=kinds[kind], count=1)
            for number, (name, kind) in enumerate(FIELDS)
        ],
    )
    message.data.frombytes(packed.reshape(-1).view(np.uint8))
    return message


def image_message(
    array: NDArray[Any], header: Header, encoding: str | None = None
) -> Image:
    """
    Convert an array to an Image with packed rows and little-endian samples.

    :param array: (H, W) or (H, W, channels), of any stride and byte order.
    :param header: header of the message.
    :param encoding: ROS encoding of the samples. Defaults to that of masks: mono8, 16UC1, 32SC1 or
        32FC1, or rgb8 for three channels.
    """
    if encoding is None:
        encoding = 'rgb8' if array.ndim == 3 else _MASKS[f'{array.dtype.kind}{array.itemsize}']
    pixels = np.ascontiguousarray(array, array.dtype.newbyteorder('<'))
    height, width = pixels.shape[:2]
    message = Image(
        header=header, height=height, width=width, encoding=encoding,
        step=pixels.nbytes // height,
    )
    # Fill the message's own array: assigning to `data` copies once more or, with field checks
    # enabled, checks every byte in Python.
    message.data.frombytes(pixels.reshape(-1).view(np.uint8))
    return message


def mono8_from_mask(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return 255 where a mask (H, W) is set, else 0."""
    return np.asarray(mask.view(np.uint8) * np.uint8(255))


def compressed_message(data: bytes, codec: str, header: Header) -> CompressedImage:
    """
    Return a CompressedImage.

    :param codec: value of `format`, `jpeg` or `png`.
    """
    message = CompressedImage(header=header, format=codec)
    message.data.frombytes(data)
    return message


def pose_message(position: NDArray[np.float64], axes: NDArray[np.float64]) -> Pose:
    """
    Return a pose in the image's optical frame.

    :param position: (3,), metres.
    :param axes: right-handed unit vectors as rows (3, 3).
    """
    x, y, z = position.tolist()
    qx, qy, qz, qw = quaternion_xyzw(axes)
    return Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))
