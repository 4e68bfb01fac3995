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

"""GrabCut: colour models of objects and background, separated by a minimum cut."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels
from seg_ros.engines.classical.objects import Found, objects_from_mask
from seg_ros.engines.classical.view import ClassicalView

SHRINK = 2           # downscaling factor of the image that is cut
BORDER = 8           # width in pixels of the small image's border, which shows the background
FOREIGN = 0.35       # likeness to the border below which a colour starts as foreground
MIN_SAMPLES = 50     # pixels from which each colour model is learned
SEED = 0


def grabcut(view: ClassicalView) -> Found:
    """
    Find objects whose colours differ from the image border, and cut them out along edges.

    C. Rother, V. Kolmogorov and A. Blake, GrabCut, 2004. Instead of a box drawn by the user,
    colours that are common along the border initialise the background.
    """
    height, width = view.grey.shape
    small_wh = (width // SHRINK, height // SHRINK)
    small = np.asarray(cv2.resize(view.color, small_wh, interpolation=cv2.INTER_AREA), np.uint8)
    foreign = (_border_likeness(small) < FOREIGN) & (not view.is_blank)
    mask, probability = _cut(small, foreign)
    inside, likely = (
        np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        for part in (255 * mask, probability)
    )
    return Found(objects_from_mask((inside > 127).astype(np.uint8)), likely)


def _border_likeness(small: Pixels) -> NDArray[np.float32]:
    """
    Return how much more common each pixel's colour is along the border than in the whole image.

    :param small: uint8 (h, w, 3), rgb.
    :returns: float32 (h, w), 0 = never on the border, 0.5 = equally common, 1 = only there.
    """
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.uint8)
    border = np.full(lab.shape[:2], 255, np.uint8)
    border[BORDER:-BORDER, BORDER:-BORDER] = 0
    along, whole = _histogram(lab, border), _histogram(lab, np.full_like(border, 255))
    likeness: NDArray[Any] = along / (along + whole + 1e-6)
    bins = (lab[..., 0] >> 4, lab[..., 1] >> 3, lab[..., 2] >> 3)
    return np.asarray(cv2.GaussianBlur(likeness[bins], (0, 0), 2), np.float32)


def _histogram(lab: Pixels, mask: Pixels) -> NDArray[np.float32]:
    """Return the smoothed, normalised histogram of L, a and b, with 16 x 32 x 32 bins."""
    bins, ranges = [16, 32, 32], [0, 256] * 3
    counts = cv2.calcHist([lab], [0, 1, 2], mask, bins, ranges) / np.count_nonzero(mask)
    smooth = cv2.GaussianBlur(counts, (0, 0), 1)
    along_b = cv2.GaussianBlur(smooth.reshape(-1, 32), (9, 1), 1)
    return np.asarray(along_b.reshape(bins), np.float32)


def _cut(small: Pixels, foreign: NDArray[np.bool_]) -> tuple[Pixels, Pixels]:
    """
    Learn both colour models and cut, in one iteration.

    :param foreign: bool (h, w), initial foreground.
    :returns: uint8 (h, w) mask, 0 or 1, and uint8 (h, w) probability of foreground.
    """
    if not MIN_SAMPLES <= np.count_nonzero(foreign) <= foreign.size - MIN_SAMPLES:
        return np.zeros(foreign.shape, np.uint8), np.zeros(foreign.shape, np.uint8)
    labels = np.where(foreign, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(SEED)
    cv2.grabCut(
        small, labels, (0, 0, 0, 0), background, foreground, 1, cv2.GC_INIT_WITH_MASK
    )
    for_it, against = _density(small, foreground), _density(small, background)
    probability = 255 * for_it / (for_it + against)
    return (labels == cv2.GC_PR_FGD).astype(np.uint8), probability.round().astype(np.uint8)


def _density(small: Pixels, model: NDArray[np.float64]) -> NDArray[np.float32]:
    """
    Evaluate one of GrabCut's colour models.

    :param model: float64 (1, 65), as OpenCV lays it out: 5 weights, 5 means, 5 covariances.
    :returns: float32 (h, w), density up to a constant factor, never 0.
    """
    weights, means, covariances = np.split(model[0], [5, 20])
    pixels = small.astype(np.float32)
    density = np.full(small.shape[:2], 1e-30, np.float32)
    for weight, mean, covariance in zip(
        weights, means.reshape(5, 3), covariances.reshape(5, 3, 3), strict=True
    ):
        root = np.linalg.cholesky(np.linalg.inv(covariance + np.eye(3))).T
        scaled = cv2.transform(pixels, np.column_stack([root, -root @ mean]))
        height = weight * np.prod(np.diag(root))
        density += height * np.exp(-0.5 * (scaled ** 2).sum(2))
    return density
