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

"""Whatever bytes an image has, it is a frame of what they hold, or an ImageError."""

import cv2
from fuzz import fuzz, unless
from hypothesis import strategies as st
from inputs import any_raw, damaged, descriptions, files, honest_raw, samples_of_16_bits
import numpy as np
from seg_ros.core.errors import ImageError
from seg_ros.image.brightness_range import BrightnessRange
from seg_ros.image.encodings import frame_from_bytes, frame_from_file
from seg_ros.image.file_size import FREE_PIXELS, MAX_PIXELS_PER_BYTE

VIEWS = {'rgb8': 3, 'bgr8': 3, '8UC3': 3, 'mono8': 1, '8UC1': 1}


def test_any_raw_image_is_a_frame_of_its_size_or_refused() -> None:
    def check(message):
        data, size_hw, encoding, step = message
        frame = unless(ImageError, lambda: frame_from_bytes(
            data, size_hw, encoding, step, brightness=BrightnessRange()
        ))
        if frame is not None:
            assert frame.size_hw == tuple(size_hw)
            assert frame.pixels.dtype == np.uint8

    fuzz(any_raw(), check)


def test_an_honest_raw_image_is_never_refused_and_has_its_bytes() -> None:
    def check(message):
        data, (height, width), encoding, step = message
        frame = frame_from_bytes(data, (height, width), encoding, step)
        assert frame.size_hw == (height, width)
        if encoding in VIEWS:
            rows = np.frombuffer(data, np.uint8).reshape(height, step)[:, :width * VIEWS[encoding]]
            assert frame.pixels.tobytes() == rows.tobytes()

    fuzz(honest_raw(), check)


def test_an_honest_file_is_never_refused() -> None:
    def check(file):
        expected = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_ANYCOLOR)
        frame = frame_from_file(file)
        assert frame.size_hw == expected.shape[:2]
        assert np.abs(frame.pixels.astype(int) - expected).mean() < 2

    fuzz(files, check)


def test_a_damaged_file_is_a_frame_of_few_pixels_or_refused() -> None:
    def check(given):
        file, description = given
        frame = unless(ImageError, lambda: frame_from_file(
            file, description, brightness=BrightnessRange()
        ))
        if frame is not None:
            height, width = frame.size_hw
            assert height * width <= max(FREE_PIXELS, MAX_PIXELS_PER_BYTE * len(file))

    fuzz(st.tuples(st.one_of(damaged(files), st.binary(max_size=80)), descriptions), check)


def test_the_range_of_any_camera_is_a_range_that_holds_its_brightest_samples() -> None:
    def check(frames):
        brightness = BrightnessRange()
        for samples in frames:
            low, high = brightness.limits(samples)
            assert 0 <= low < high <= 65535
            if low == 0:
                assert high >= samples.max()

    fuzz(st.lists(samples_of_16_bits(), min_size=1, max_size=20), check)
