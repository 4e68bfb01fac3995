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
Frames from bytes: raw images of every encoding, and compressed files.

Reference: cv_bridge, for the rules that all of ROS relies on (`step` times rows is the length of
the data; 16 bits shrink by 255 / 65535; 8UC3 is bgr).
"""

from array import array
import sys
from typing import TypeAlias

import cv2
import numpy as np
from seg_ros.core.errors import ImageError
from seg_ros.core.frame import Frame, Pixels
from seg_ros.image.brightness_range import BrightnessRange
from seg_ros.image.encodings import (
    canonical_encoding,
    Encoding,
    encoding_named,
    ENCODINGS,
    FILES,
    REFUSED,
    Samples,
)
from seg_ros.image.file_size import check_size
from seg_ros.image.jpeg_decoding import decode_jpeg, imdecode
from seg_ros.image.jpeg_structure import START

Bytes: TypeAlias = 'bytes | bytearray | memoryview | array[int] | Pixels'


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
    Read a raw image; a view without a copy where the bytes are uint8 rgb, bgr or gray already.

    A view keeps `data` alive and is read-only. Colours from YUV follow BT.601 with studio range.

    :param data: one contiguous buffer of exactly `step` bytes a row. Extra bytes are refused too:
        it is the mark of a wrong `step`, which shears the image.
    :param size_hw: height and width of the image in pixels, also for planar encodings.
    :param encoding: a name of `ENCODINGS` or `ALIASES`, in any case, or of `FILES`: then the data
        are a file, and its own size counts.
    :param step: bytes from one row to the next; any padding is allowed, which the last row may
        lack. 0 says that there is none.
    :param big_endian: whether 16-bit samples have their high byte first.
    :param brightness: what 16-bit samples of this camera are black and white; None takes 0 and
        65535. Where the user gave a range, 16UC1 is an image too.
    :raises ImageError: if the encoding is unknown or the sizes contradict each other.
    """
    encoding = canonical_encoding(encoding)
    if encoding in FILES:
        return frame_from_file(
            data, stamp_ns=stamp_ns, frame_id=frame_id, brightness=brightness
        )
    if encoding == '16UC1' and brightness is not None and brightness.given:
        encoding = 'mono16'
    kind = encoding_named(encoding)
    octets = np.frombuffer(data, np.uint8)
    if not step:    # which some drivers leave out: rows follow each other, or the length is wrong
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


def _checked_rows(
    kind: Encoding, what: str, size_hw: tuple[int, int], step: int, length: int
) -> int:
    """Return how many rows `length` bytes of data hold, after all sizes were checked."""
    height, width = size_hw
    what = f'{what} of {width} x {height}'
    driver = "set the camera driver's image size and step right"
    if min(size_hw) < kind.least:
        raise ImageError(what, f'sides of {kind.least} or more pixels', driver)
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
    """Convert, then shrink 16 bits to 8, in the order of cv_bridge."""
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
    Decode a compressed image: JPEG, PNG of 8 or 16 bits, or what else OpenCV reads.

    An EXIF orientation is ignored: masks and camera_info lie on the sensor's own pixel grid.
    Alpha is dropped. What the file is and the order of its colours is taken from its bytes.

    :param data: the whole file.
    :param description: `format` of a CompressedImage, as compressed_image_transport writes it:
        `jpeg`, or `SOURCE; CODEC compressed STORED`. STORED, or where it is empty SOURCE, names
        the meaning of samples of one channel where it fits them: a gray PNG may be a Bayer mosaic.
    :param brightness: as for `frame_from_bytes`.
    :raises ImageError: if the file is damaged, cut, larger than any camera's image or none.
    """
    samples = _decoded(bytes(data))
    planes = 3 if samples.ndim == 3 else 1
    bits = 8 * samples.itemsize
    source, _, codec = description.strip(' \0').partition(';')
    stored = codec.partition('compressed')[2].strip() or (codec and source.strip())
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
