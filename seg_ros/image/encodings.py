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

"""
Decoding of raw images in the encodings of camera drivers, and of compressed files.

References: sensor_msgs/image_encodings.hpp for the names, the kernel's V4L2 pixel formats for the
memory layouts, and cv_bridge for the rules that ROS relies on (the data's length is `step` times
the number of rows; 16 bits are scaled by 255 / 65535; 8UC3 is bgr).
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
import sys
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ImageError
from seg_ros.core.frame import ColorOrder, Frame, Pixels
from seg_ros.core.shown import shown
from seg_ros.image.brightness_range import BrightnessRange
from seg_ros.image.file_size import check_size
from seg_ros.image.jpeg_decoding import decode_jpeg, imdecode
from seg_ros.image.jpeg_structure import START

Bytes: TypeAlias = 'bytes | bytearray | memoryview | array[int] | Pixels'
Samples: TypeAlias = NDArray[Any]

# ITU-R BT.601, studio range, with the digits that OpenCV uses for other YUV encodings.
_RGB_OF_YUV = np.array([[1.164, 0.0, 1.596], [1.164, -0.391, -0.813], [1.164, 2.018, 0.0]])
_RGB_FROM_YUV = np.column_stack([_RGB_OF_YUV, _RGB_OF_YUV @ (-16.0, -128.0, -128.0)])


@dataclass(frozen=True)
class Encoding:
    """
    How rows of samples are converted to pixels.

    :param color: colour order of the resulting pixels.
    :param samples: number of samples per pixel in one row of data.
    :param convert: converts samples (rows, W[, samples]) to pixels; None if they are the same.
    :param bits: bits per sample, 8 or 16.
    :param cell_hw: size of the cells whose pixels share colour; the image's sides are multiples.
    :param min_side_px: minimum height and width of an image.
    :param rows: rows of data per row of the image; planes are stored below each other.
    """

    color: ColorOrder
    samples: int
    convert: Callable[[Samples], Samples] | None = None
    bits: int = 8
    cell_hw: tuple[int, int] = (1, 1)
    min_side_px: int = 1
    rows: float = 1

    @property
    def bytes_per_pixel(self) -> int:
        """Bytes per pixel in one row of data."""
        return self.samples * self.bits // 8


def _by(code: int) -> Callable[[Samples], Samples]:
    return partial(cv2.cvtColor, code=code)


def _rgb_from_nv24(samples: Samples) -> Samples:
    """
    Convert a plane of Y above a plane of UV pairs, both in full resolution.

    :param samples: uint8 (3 H, W); a row of the second plane spans two rows of data.
    """
    height, width = samples.shape[0] // 3, samples.shape[1]
    chroma = np.lib.stride_tricks.as_strided(
        samples[height:], (height, width, 2), (2 * samples.strides[0], 2, 1), writeable=False
    )
    return cv2.transform(cv2.merge([samples[:height], chroma]), _RGB_FROM_YUV)


# OpenCV names a Bayer pattern after the second and third pixels of the second row.
_RGGB, _BGGR = _by(cv2.COLOR_BayerBG2RGB), _by(cv2.COLOR_BayerRG2RGB)
_GBRG, _GRBG = _by(cv2.COLOR_BayerGR2RGB), _by(cv2.COLOR_BayerGB2RGB)
_RGB_OF_RGBA, _BGR_OF_BGRA = _by(cv2.COLOR_RGBA2RGB), _by(cv2.COLOR_BGRA2BGR)
_UYVY = Encoding('rgb', 2, _by(cv2.COLOR_YUV2RGB_UYVY), cell_hw=(1, 2))
_YUYV = Encoding('rgb', 2, _by(cv2.COLOR_YUV2RGB_YUYV), cell_hw=(1, 2))

ENCODINGS: dict[str, Encoding] = {
    'rgb8': Encoding('rgb', 3),
    'bgr8': Encoding('bgr', 3),
    'mono8': Encoding('gray', 1),
    '8UC1': Encoding('gray', 1),
    '8UC3': Encoding('bgr', 3),
    '8UC4': Encoding('bgr', 4, _BGR_OF_BGRA),
    'rgba8': Encoding('rgb', 4, _RGB_OF_RGBA),
    'bgra8': Encoding('bgr', 4, _BGR_OF_BGRA),
    'rgb16': Encoding('rgb', 3, bits=16),
    'bgr16': Encoding('bgr', 3, bits=16),
    'mono16': Encoding('gray', 1, bits=16),
    'rgba16': Encoding('rgb', 4, _RGB_OF_RGBA, bits=16),
    'bgra16': Encoding('bgr', 4, _BGR_OF_BGRA, bits=16),
    'bayer_rggb8': Encoding('rgb', 1, _RGGB, min_side_px=3),
    'bayer_bggr8': Encoding('rgb', 1, _BGGR, min_side_px=3),
    'bayer_gbrg8': Encoding('rgb', 1, _GBRG, min_side_px=3),
    'bayer_grbg8': Encoding('rgb', 1, _GRBG, min_side_px=3),
    'bayer_rggb16': Encoding('rgb', 1, _RGGB, bits=16, min_side_px=3),
    'bayer_bggr16': Encoding('rgb', 1, _BGGR, bits=16, min_side_px=3),
    'bayer_gbrg16': Encoding('rgb', 1, _GBRG, bits=16, min_side_px=3),
    'bayer_grbg16': Encoding('rgb', 1, _GRBG, bits=16, min_side_px=3),
    'uyvy': _UYVY,
    'yuv422': _UYVY,
    'yuyv': _YUYV,
    'yuv422_yuy2': _YUYV,
    'nv12': Encoding('rgb', 1, _by(cv2.COLOR_YUV2RGB_NV12), cell_hw=(2, 2), rows=1.5),
    'nv21': Encoding('rgb', 1, _by(cv2.COLOR_YUV2RGB_NV21), cell_hw=(2, 2), rows=1.5),
    'nv24': Encoding('rgb', 1, _rgb_from_nv24, rows=3),
    'i420': Encoding('rgb', 1, _by(cv2.COLOR_YUV2RGB_I420), cell_hw=(2, 2), rows=1.5),
    '16UC3': Encoding('bgr', 3, bits=16),
    '16UC4': Encoding('bgr', 4, _BGR_OF_BGRA, bits=16),
}
# Other names that drivers use for these encodings.
ALIASES = {
    'yuv420': 'i420', 'yuv420p': 'i420',
    **{
        f'bayer_{pattern}{bits}': f'bayer_{pattern}16'
        for pattern in ('rggb', 'bggr', 'gbrg', 'grbg') for bits in (10, 12, 14)
    },
}
FILES = frozenset({'jpeg', 'jpg', 'mjpeg', 'mjpg', 'png'})

# Encodings that are known but are not an image: the reason, and what to do.
REFUSED: dict[str, tuple[str, str]] = {
    '8UC2': ('which does not define the order of its samples', 'publish YUV as uyvy or yuyv'),
    '16UC1': (
        'depth or raw counts without a level for white',
        'if they are an image, publish it as mono16, or set brightness_range to its black and '
        'white, such as 29315..31815 for 20 to 45 degrees in hundredths of a kelvin',
    ),
    '32FC1': ('depth or data without a level for white', 'publish images as mono16'),
}

_NAMES = {name.lower(): name for name in (*ENCODINGS, *REFUSED)}


def frame_from_bytes(
    data: Bytes,
    size_hw: tuple[int, int],
    encoding: str,
    step: int,
    *,
    big_endian: bool = False,
    stamp_ns: int = 0,
    frame_id: str = '',
    brightness: BrightnessRange | None = None,
) -> Frame:
    """
    Read a raw image; bytes that are already uint8 rgb, bgr or gray are not copied.

    The result is then a read-only view that keeps `data` alive. YUV is BT.601 with studio range.

    :param data: one contiguous buffer with exactly `step` bytes per row. Extra bytes are refused:
        they indicate a wrong `step`, which would shear the image.
    :param size_hw: height and width of the image in pixels, also for planar encodings.
    :param encoding: a name in `ENCODINGS` or `ALIASES`, in upper or lower case, or in `FILES`; the
        data is then a file, and the size is read from it.
    :param step: bytes from one row to the next, with any padding, which the last row may lack;
        0 = no padding.
    :param big_endian: whether 16-bit samples have their high byte first.
    :param brightness: black and white levels of this camera's 16-bit samples; None = 0 and 65535.
        If the user set a range, 16UC1 is accepted as an image.
    :raises ImageError: if the encoding is not supported or the sizes contradict each other.
    """
    encoding = canonical_encoding(encoding)
    if encoding in FILES:
        return frame_from_file(
            data, stamp_ns=stamp_ns, frame_id=frame_id, brightness=brightness
        )
    if encoding == '16UC1' and brightness is not None and brightness.given:
        encoding = 'mono16'
    kind = _encoding_named(encoding)
    octets = np.frombuffer(data, np.uint8)
    if not step:    # some drivers leave it out; if rows have padding, the length check fails
        step = size_hw[1] * kind.bytes_per_pixel
    rows = _checked_rows(kind, f'{encoding} image', size_hw, step, octets.size)
    samples: Samples = np.ndarray(
        (rows, size_hw[1], kind.samples),
        np.dtype(f'{">" if big_endian else "<"}u{kind.bits // 8}'),
        octets,
        strides=(step, kind.bytes_per_pixel, kind.bits // 8),
    )
    samples.flags.writeable = False
    pixels = _pixels(samples[:, :, 0] if kind.samples == 1 else samples, kind, brightness)
    return Frame(pixels, kind.color, stamp_ns, frame_id)


def canonical_encoding(name: str) -> str:
    """Return the name as in `ENCODINGS`, `REFUSED` or `FILES`; unknown names are unchanged."""
    plain = name.strip(' \0')
    low = plain.lower()
    low = ALIASES.get(low, low)
    return low if low in FILES else _NAMES.get(low, plain)


def _encoding_named(name: str) -> Encoding:
    if name in REFUSED:
        why, do = REFUSED[name]
        raise ImageError(f'encoding {name}, {why}', do=do)
    if name not in ENCODINGS:
        seen = f'encoding {shown(name)}' if name else 'an image that names no encoding'
        raise ImageError(
            seen, f'one of {", ".join(ENCODINGS)}', "set the camera driver's pixel format"
        )
    return ENCODINGS[name]


def _checked_rows(
    kind: Encoding, what: str, size_hw: tuple[int, int], step: int, length: int
) -> int:
    """Check all sizes and return the number of rows in `length` bytes of data."""
    height, width = size_hw
    what = f'{what} of {width} x {height}'
    driver = "correct the camera driver's image size and step"
    if min(size_hw) < kind.min_side_px:
        raise ImageError(what, f'sides of {kind.min_side_px} or more pixels', driver)
    if height % kind.cell_hw[0] or width % kind.cell_hw[1]:
        across, down = kind.cell_hw[1], kind.cell_hw[0]
        raise ImageError(what, f'a width in {across}s and a height in {down}s', driver)
    if step < width * kind.bytes_per_pixel:
        raise ImageError(
            f'{what} with step {step}', f'{width * kind.bytes_per_pixel} or more bytes', driver
        )
    rows = int(height * kind.rows)
    if length not in (rows * step, (rows - 1) * step + width * kind.bytes_per_pixel):
        raise ImageError(
            f'{what} with {length} bytes', f'{rows} rows of step {step}: {rows * step}', driver
        )
    return rows


def _pixels(samples: Samples, kind: Encoding, brightness: BrightnessRange | None) -> Pixels:
    """Convert samples to pixels, then scale 16 bits to 8, in the order of cv_bridge."""
    low, high = 0, 65535
    if kind.bits == 16:
        samples = np.require(samples, np.uint16, 'A')
        low, high = brightness.limits(samples) if brightness else (low, high)
    pixels = kind.convert(samples) if kind.convert else samples
    if low:
        pixels = np.maximum(pixels, low) - low
    if kind.bits == 16:
        pixels = cv2.convertScaleAbs(pixels, alpha=255 / (high - low))
    return np.asarray(pixels, np.uint8)


def frame_from_file(
    data: Bytes,
    description: str = '',
    *,
    stamp_ns: int = 0,
    frame_id: str = '',
    brightness: BrightnessRange | None = None,
) -> Frame:
    """
    Decode a compressed image: JPEG, PNG of 8 or 16 bits, or any other format of OpenCV.

    The EXIF orientation is ignored, since masks and camera_info refer to the sensor's pixel grid.
    Alpha is dropped. The file's format and colour order are taken from its bytes.

    :param data: the whole file.
    :param description: `format` of a CompressedImage, as written by compressed_image_transport:
        `jpeg`, or `SOURCE; CODEC compressed STORED`. STORED, or SOURCE if STORED is empty, is the
        encoding of single-channel samples if it fits them: a gray PNG may be a Bayer mosaic.
    :param brightness: black and white levels, as for `frame_from_bytes`.
    :raises ImageError: if it is damaged, truncated, larger than any camera's image, or not one.
    """
    samples = _decoded(bytes(data))
    planes = 3 if samples.ndim == 3 else 1
    bits = 8 * samples.itemsize
    source, _, codec = description.strip(' \0').partition(';')
    stored = canonical_encoding(codec.partition('compressed')[2].strip() or source)
    named = ENCODINGS.get(stored)
    fits = named is not None and planes == 1 and (named.samples, named.bits) == (1, bits)
    natural = f'{"bgr" if planes == 3 else "mono"}{bits}'
    return frame_from_bytes(
        samples.reshape(-1).view(np.uint8),
        samples.shape[:2],
        stored if fits or stored in REFUSED else natural,
        samples.strides[0],
        big_endian=sys.byteorder == 'big',
        stamp_ns=stamp_ns,
        frame_id=frame_id,
        brightness=brightness,
    )


def _decoded(data: bytes) -> Samples:
    """Return uint8 or uint16, (H, W) or (H, W, 3) in the order blue, green, red."""
    check_size(data)
    if data.startswith(START):
        return np.ascontiguousarray(decode_jpeg(data))
    samples = imdecode(data)
    if samples.dtype not in (np.uint8, np.uint16):
        seen = f'a compressed image of {len(data)} bytes with {samples.dtype} samples'
        raise ImageError(seen, 'samples of 8 or 16 bits')
    return samples
