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
OpenCV's Canny edge detector built from operators that every engine supports.

Rounding and comparisons follow OpenCV, modules/imgproc/src/canny.cpp, for 3x3 Sobel and the L1
norm. OpenCV's hysteresis follows chains of weak pixels to their ends, this one for `steps` pixels.
"""

from seg_ros.zoo.layers.sizes import size_hw_of
import torch
from torch import Tensor
from torch.nn import functional

STEPS = 64
_TANGENT = 13573.0      # tan(22.5 degrees) * 2 ** 15, rounded as OpenCV rounds it
_ONE = 32768.0


def canny(pixels: Tensor, low: float, high: float, steps: int = STEPS) -> Tensor:
    """
    Detect edges; all values are integers below 2 ** 24, which are exact in 32-bit floats.

    :param pixels: float32 (1, C, H, W) with integer values from 0 to 255.
    :param low: lower threshold of the gradient's L1 norm; `high` is the upper one.
    :returns: float32 (1, 1, H, W), 1 on edges and 0 elsewhere.
    """
    norm, dx, dy = _gradient(pixels)
    peak = _is_peak(norm, dx, dy) & (norm > low)
    weak = peak.to(norm.dtype)
    edges = (peak & (norm > high)).to(norm.dtype)
    for _ in range(steps):
        edges = functional.max_pool2d(edges, 3, 1, 1) * weak
    return edges


def _gradient(pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return norm, dx and dy of the channel with the largest gradient, each (1, 1, H, W)."""
    channels = int(pixels.shape[1])
    padded = functional.pad(pixels, (1, 1, 1, 1), mode='replicate')
    sobel = pixels.new_tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    dx, dy = (
        functional.conv2d(padded, kernel.expand(channels, 1, 3, 3), groups=channels)
        for kernel in (sobel, sobel.T)
    )
    norms = dx.abs() + dy.abs()
    best = [norms[:, :1], dx[:, :1], dy[:, :1]]
    for channel in range(1, channels):      # of equal norms, the first channel is kept
        candidate = [values[:, channel:channel + 1] for values in (norms, dx, dy)]
        larger = candidate[0] > best[0]
        best = [torch.where(larger, new, old) for new, old in zip(candidate, best, strict=True)]
    return best[0], best[1], best[2]


def _is_peak(norm: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """Return where the norm is a maximum along the gradient, rounded to four directions."""
    across, down = dx.abs(), dy.abs()
    flat = down * _ONE < across * _TANGENT
    # down * 2**15 > across * (tangent + 2**16), without leaving 24 bits
    steep = (down - 2 * across) * _ONE > across * _TANGENT
    rising = dx * dy < 0
    left, right, above, below = (
        _shifted(norm, *step) for step in ((0, -1), (0, 1), (-1, 0), (1, 0))
    )
    falling_peak = (norm > _shifted(norm, -1, -1)) & (norm > _shifted(norm, 1, 1))
    rising_peak = (norm > _shifted(norm, -1, 1)) & (norm > _shifted(norm, 1, -1))
    # ONNX Runtime has no Where for booleans.
    diagonal = (rising & rising_peak) | (~rising & falling_peak)
    horizontal = (norm > left) & (norm >= right)
    vertical = (norm > above) & (norm >= below)
    return (flat & horizontal) | (~flat & ((steep & vertical) | (~steep & diagonal)))


def _shifted(plane: Tensor, dy: int, dx: int) -> Tensor:
    """Return a plane (1, 1, H, W) read at (y + dy, x + dx), 0 outside."""
    height, width = size_hw_of(plane)
    padded = functional.pad(plane, (1, 1, 1, 1))
    return padded[:, :, 1 + dy:1 + dy + height, 1 + dx:1 + dx + width]
