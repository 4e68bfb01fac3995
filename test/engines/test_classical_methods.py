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

"""What each classical method finds, compared with things drawn at known places."""

from typing import Any

import cv2
import numpy as np
import pytest
from seg_ros.engines.classical import METHODS, open_classical
from seg_ros.engines.classical.otsu import foreground, otsu_level
from seg_ros.engines.classical.view import ClassicalView

FINDERS = tuple(method for method in METHODS if method != 'kmeans')
GREY_FINDERS = tuple(method for method in FINDERS if method != 'grabcut')
DARK, BRIGHT = (60, 65, 70), (190, 180, 175)


def run(method: str, image: np.ndarray) -> Any:
    engine = open_classical(method)
    outputs = engine.submit(image[None]).result(timeout=60)
    engine.close()
    return outputs.image(0)


def plain(color: Any) -> np.ndarray:
    return np.broadcast_to(np.uint8(color), (480, 640, 3)).copy()


def noisy(image: np.ndarray, sigma: float = 5) -> np.ndarray:
    noise = np.random.default_rng(11).normal(0, sigma, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.indices((480, 640))
    return np.hypot(columns - x, rows - y) <= radius


def box(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros((480, 640), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def masks_of(outputs: Any) -> list[np.ndarray]:
    count = np.count_nonzero(outputs.scores)
    return [outputs.instances == slot + 1 for slot in range(count)]


def best_iou(outputs: Any, truth: np.ndarray) -> float:
    return max((iou(mask, truth) for mask in masks_of(outputs)), default=0.0)


THINGS = (disc(150, 130, 55), disc(480, 330, 40), box(330, 60, 500, 160), box(90, 300, 190, 400))


@pytest.mark.parametrize('method', FINDERS)
@pytest.mark.parametrize(('table', 'thing'), [(DARK, BRIGHT), (BRIGHT, DARK)])
def test_things_are_found_where_they_lie(
    method: str, table: tuple[int, ...], thing: tuple[int, ...]
) -> None:
    image = plain(table)
    for mask in THINGS:
        image[mask] = thing
    outputs = run(method, noisy(image))
    assert len(masks_of(outputs)) == len(THINGS)
    for mask in THINGS:
        assert best_iou(outputs, mask) > 0.9


def test_colour_regions_lie_where_the_colours_are() -> None:
    image = plain(DARK)
    image[THINGS[0]] = (200, 40, 40)
    image[THINGS[2]] = (60, 200, 60)
    labels = run('kmeans', noisy(image)).labels
    for mask in (THINGS[0], THINGS[2], ~THINGS[0] & ~THINGS[2]):
        assert max(iou(labels == label, mask) for label in np.unique(labels)) > 0.9


@pytest.mark.parametrize('method', ['edges', 'grabcut'])
def test_a_thing_of_the_tables_brightness_is_found_by_its_colour(method: str) -> None:
    image = plain((60, 140, 60))
    image[THINGS[0]] = (190, 72, 69)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    assert np.ptp(grey) <= 2
    image[THINGS[2]] = (30, 40, 35)
    assert best_iou(run(method, noisy(image)), THINGS[0]) > 0.9


@pytest.mark.parametrize('method', FINDERS)
def test_a_ring_keeps_its_hole(method: str) -> None:
    hole = disc(320, 240, 40)
    ring = disc(320, 240, 75) & ~hole
    image = plain(DARK)
    image[ring] = BRIGHT
    outputs = run(method, noisy(image))
    assert best_iou(outputs, ring) > 0.9
    assert not outputs.labels[disc(320, 240, 32)].any()


@pytest.mark.parametrize('method', GREY_FINDERS)
def test_a_thing_that_the_border_cuts_is_found(method: str) -> None:
    thing = box(0, 200, 90, 260)
    image = plain(DARK)
    image[thing] = BRIGHT
    assert best_iou(run(method, noisy(image)), thing) > 0.9


@pytest.mark.parametrize('method', FINDERS)
def test_specks_are_no_objects_and_pinholes_no_holes(method: str) -> None:
    thing = disc(320, 240, 60)
    image = plain(DARK)
    image[thing] = BRIGHT
    image[disc(320, 240, 4)] = DARK
    image[disc(100, 100, 6)] = BRIGHT
    outputs = run(method, noisy(image))
    (mask,) = masks_of(outputs)
    assert iou(mask, thing) > 0.9
    assert mask[240, 320]
    assert not outputs.labels[100, 100]


def reference_level(grey: np.ndarray) -> int:
    """Return Otsu's level, from the between-class variance at each of 255 levels."""
    values = np.sort(grey.astype(np.float64).ravel())
    between = []
    for level in range(255):
        dark, bright = np.split(values, [np.searchsorted(values, level, 'right')])
        if not dark.size or not bright.size:
            between.append(-1.0)
            continue
        weight = dark.size * bright.size / values.size ** 2
        between.append(weight * (bright.mean() - dark.mean()) ** 2)
    return int(np.argmax(between))


@pytest.mark.parametrize('seed', range(3))
def test_otsus_level_has_the_greatest_variance_between_the_classes(seed: int) -> None:
    draw = np.random.default_rng(seed)
    dark, share = draw.uniform(30, 100), draw.uniform(0.1, 0.6)
    low, high = draw.normal(dark, 15, (120, 160)), draw.normal(dark + 90, 20, (120, 160))
    grey = np.clip(np.where(draw.random(low.shape) < share, high, low), 0, 255).astype(np.uint8)
    assert otsu_level(grey) == reference_level(grey)


@pytest.mark.parametrize('inverted', [False, True])
def test_otsus_foreground_is_the_side_of_the_level_that_the_border_lacks(inverted: bool) -> None:
    image = plain(DARK)
    for thing in THINGS:
        image[thing] = BRIGHT
    view = ClassicalView(noisy(255 - image if inverted else image, 20))
    mask, probability = foreground(view)
    grey = view.grey
    level = reference_level(grey)
    expected = grey <= level if inverted else grey > level
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_array_equal(probability > 127, expected)
    for side, sure in ((expected, 255), (~expected, 0)):
        assert probability[grey == round(grey[side].mean())].mean() == pytest.approx(sure, abs=6)


def test_a_lamp_at_one_side_hides_things_from_a_global_threshold_only() -> None:
    light = np.linspace(40, 190, 640)
    image = np.broadcast_to(light[:, None], (480, 640, 3)).copy()
    things = (disc(120, 150, 35), disc(330, 330, 35), disc(540, 150, 35))
    for thing in things:
        image[thing] += 45
    image = noisy(image, 3)
    adaptive = run('adaptive', image)
    assert min(best_iou(adaptive, thing) for thing in things) > 0.9
    assert min(best_iou(run('otsu', image), thing) for thing in things) < 0.5


def test_bright_and_dark_things_are_found_on_one_table() -> None:
    image = plain((120, 120, 120))
    image[THINGS[0]] = 40
    image[THINGS[1]] = 210
    outputs = run('adaptive', noisy(image))
    assert best_iou(outputs, THINGS[0]) > 0.9
    assert best_iou(outputs, THINGS[1]) > 0.9


def test_touching_discs_are_parted_at_their_neck() -> None:
    large, small = disc(220, 240, 90), disc(345, 240, 45)
    equal = disc(520, 130, 50), disc(520, 215, 50)
    image = plain(DARK)
    for mask in (large, small, *equal):
        image[mask] = BRIGHT
    outputs = run('watershed', noisy(image))
    assert len(masks_of(outputs)) == 4
    # the straight cut through the neck, from the circles' radical axes
    rows, columns = np.indices((480, 640))
    left = columns < (90 ** 2 - 45 ** 2 + 345 ** 2 - 220 ** 2) / (2 * (345 - 220))
    parts = (
        (large | small) & left, (large | small) & ~left,
        (equal[0] | equal[1]) & (rows < 172.5), (equal[0] | equal[1]) & (rows > 172.5),
    )
    for part in parts:
        assert best_iou(outputs, part) > 0.95


def test_slim_things_stay_whole_and_nothing_is_lost_where_others_are_parted() -> None:
    image = plain(DARK)
    slim = box(60, 40, 300, 50), box(60, 400, 300, 410)
    for mask in (disc(250, 240, 60), disc(350, 240, 60), *slim):
        image[mask] = BRIGHT
    image = noisy(image)
    parted, whole = run('watershed', image), run('otsu', image)
    np.testing.assert_array_equal(parted.labels, whole.labels)
    assert (len(masks_of(parted)), len(masks_of(whole))) == (4, 3)
    for mask in slim:
        assert best_iou(parted, mask) > 0.9


def test_a_slim_waist_parts_and_a_thick_one_does_not() -> None:
    image = plain(DARK)
    cv2.ellipse(image, (200, 240), (120, 60), 20, 0, 360, BRIGHT, -1)
    image[disc(470, 240, 60) | disc(520, 240, 60)] = BRIGHT
    assert len(masks_of(run('watershed', noisy(image)))) == 2


def test_two_colours_are_separated_to_the_pixel() -> None:
    image = plain((30, 60, 200))
    right = box(320, 0, 640, 480)
    image[right] = (220, 200, 40)
    outputs = run('kmeans', image)
    np.testing.assert_array_equal(outputs.labels, right)
    far = np.abs(np.arange(640) - 319.5) > 8
    assert (outputs.confidence[:, far] > 250).all()


def test_regions_are_numbered_from_the_darkest() -> None:
    levels = (230, 20, 125, 180, 70)
    image = np.repeat(np.uint8(levels), 128)[None, :, None] * np.ones((480, 1, 3), np.uint8)
    labels = run('kmeans', image).labels
    assert labels[240, 64::128].tolist() == [4, 0, 2, 3, 1]


def test_alike_colours_are_one_region() -> None:
    image = plain((100, 100, 100))
    image[:, 200:400] = (104, 103, 100)
    image[:, 400:] = (200, 60, 60)
    labels = run('kmeans', noisy(image, 2)).labels
    assert len({*labels[:, 100].tolist(), *labels[:, 300].tolist()}) == 1
    assert labels[240, 500] != labels[240, 300]


@pytest.mark.parametrize('method', METHODS)
def test_plain_places_are_certain_and_edges_are_not(method: str) -> None:
    thing = disc(320, 240, 60)
    image = plain(DARK)
    image[thing] = BRIGHT
    confidence = run(method, image).confidence
    assert confidence[240, 320] > 230
    assert confidence[40, 40] > 230
    edge = disc(320, 240, 62) & ~disc(320, 240, 58)
    assert confidence[edge].min() < 180


@pytest.mark.parametrize('sigma', [2, 8, 25])
def test_the_cameras_noise_is_measured(sigma: float) -> None:
    grey = np.linspace(70, 180, 640)[None, :, None] * np.ones((480, 1, 1))
    grain = np.random.default_rng(3).normal(0, sigma, grey.shape)
    image = np.clip(grey + grain, 0, 255).round().astype(np.uint8).repeat(3, 2)
    assert ClassicalView(image).noise == pytest.approx(sigma, rel=0.1)
