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

"""K-means: the image segmented by its dominant colours."""

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels
from seg_ros.engines.classical.view import ClassicalView, Tensors

REGIONS = 6
ALIKE = 18         # distance in 8-bit CIELAB; closer colours are merged
SHRINK = 4         # the colours are learned from every fourth pixel of every fourth row
MIN_UNIFORM = 0.1  # fraction of the image; if less is uniform, colours are learned from all of it
WINDOW = 5         # side of the window over which distances to colours are averaged
SEED = 0


def kmeans(view: ClassicalView) -> Tensors:
    """
    Label every pixel with the nearest of the image's dominant colours, the darkest first.

    The order by lightness keeps the labels of a static scene stable from frame to frame.

    :returns: `labels` and `confidence`; the latter compares the distances to the two nearest
        colours: 0.5 if they are equal, 1 at a colour itself.
    """
    lab = np.asarray(cv2.cvtColor(view.color, cv2.COLOR_RGB2LAB), np.uint8)
    if view.is_blank:
        labels = np.zeros(view.grey.shape, np.uint8)
        return {'labels': labels, 'confidence': labels + 255}
    return _nearest(lab, _dominant_colors(lab))


def _dominant_colors(lab: Pixels) -> NDArray[np.float32]:
    """
    Cluster the colours of uniform areas and merge similar ones.

    :param lab: uint8 (H, W, 3), CIELAB.
    :returns: float32 (1 to REGIONS, 3), the darkest first.
    """
    samples = _samples(lab)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    cv2.setRNGSeed(SEED)
    nearest = np.zeros((len(samples), 1), np.int32)
    _, _, centers = cv2.kmeans(samples, REGIONS, nearest, stop, 1, cv2.KMEANS_PP_CENTERS)
    colors = np.asarray(centers, np.float32)
    weights = np.maximum(np.bincount(nearest.ravel(), minlength=REGIONS), 1)
    while len(colors) > 1:
        apart = np.linalg.norm(colors[:, None] - colors, axis=2) + np.diag([np.inf] * len(colors))
        first, second = np.unravel_index(apart.argmin(), apart.shape)
        if apart[first, second] > ALIKE:
            break
        pair = [first, second]
        colors[first] = np.average(colors[pair], axis=0, weights=weights[pair])
        weights[first] += weights[second]
        colors, weights = np.delete(colors, second, 0), np.delete(weights, second)
    return colors[np.argsort(colors[:, 0])]


def _samples(lab: Pixels) -> NDArray[np.float32]:
    """Return a grid of pixels without those on edges, where colours are mixed."""
    small = np.ascontiguousarray(lab[::SHRINK, ::SHRINK])
    step = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    uniform = np.asarray(step).max(2) < ALIKE
    if np.count_nonzero(uniform) < MIN_UNIFORM * uniform.size:
        uniform[:] = True
    return np.asarray(small[uniform], np.float32)


def _nearest(lab: Pixels, colors: NDArray[np.float32]) -> Tensors:
    """Label every pixel by its distance to each colour, averaged over its neighbours."""
    # |x - c|² = |x|² - 2 c·x + |c|², the last two terms as one affine map of x
    affine = np.column_stack([-2 * colors, (colors ** 2).sum(1)])
    pixels = lab.astype(np.float32)
    square = cv2.transform(pixels ** 2, np.ones((1, 3)))
    labels = np.zeros(square.shape, np.uint8)
    first = second = np.full(square.shape, np.inf, np.float32)
    for index, row in enumerate(affine):
        away = cv2.blur(square + cv2.transform(pixels, row[None]), (WINDOW, WINDOW))
        labels[away < first] = index
        second = np.minimum(second, np.maximum(first, away))
        first = np.minimum(first, away)
    closeness = 1 / (1 + np.sqrt(np.maximum(first, 0) / second))
    return {'labels': labels, 'confidence': (255 * closeness).round().astype(np.uint8)}
