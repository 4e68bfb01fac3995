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

import numpy as np
import pytest
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import ContractError, ImageError
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.masks.overlay import color_map, draw_overlay

SIZE_HW = (240, 320)
RGB = np.random.default_rng(0).integers(0, 256, (*SIZE_HW, 3), np.uint8)
COLORS = {3: (255, 0, 0), 7: (1, 2, 3), 9: (120, 120, 120)}


def make_card(ids=tuple(COLORS), ignored=()):
    colors = {number: COLORS.get(number, (9, 8, number % 256)) for number in ids}
    return card_from_dict({'name': 'things', 'task': 'panoptic', 'classes': [
        {
            'id': number, 'name': f'class{number}', 'color': color, 'thing': True,
            'roles': ['ignore'] if number in ignored else [],
        }
        for number, color in colors.items()
    ]})


def classes_with(*areas):
    """Return a class map of unlabelled pixels but for the areas: id, x0, y0, x1, y1."""
    classes = np.full(SIZE_HW, 255, np.uint8)
    for number, x0, y0, x1, y1 in areas:
        classes[y0:y1, x0:x1] = number
    return classes


def instances_of(*boxes, class_id=3):
    """Return a segmentation with one rectangular instance for each id, x0, y0, x1, y1."""
    instances = np.zeros(SIZE_HW, np.uint16)
    classes = np.full(SIZE_HW, 255, np.uint8)
    segments = []
    for number, x0, y0, x1, y1 in boxes:
        instances[y0:y1, x0:x1] = number
        classes[y0:y1, x0:x1] = class_id
        area = (x1 - x0) * (y1 - y0)
        segments.append(Segment(number, class_id, 0.9, (x0, y0, x1, y1), area))
    segmentation = Segmentation(SIZE_HW, 255, classes, None, instances, tuple(segments))
    segmentation.verify()
    return segmentation


def without_captions(monkeypatch):
    monkeypatch.setattr('seg_ros.masks.overlay.write_captions', lambda drawn, captions: None)


@pytest.mark.parametrize(('ids', 'kind'), [
    ((3, 7, 9), np.uint8), ((0, 254), np.uint8), ((3, 255), np.uint16), ((3, 65534), np.uint16),
])
def test_every_class_has_its_own_colour_exactly_and_the_rest_is_black(ids, kind):
    card = make_card(ids)
    assert np.dtype(kind) == card.id_of_channel.dtype
    classes = np.random.default_rng(1).choice([*ids, card.unlabelled], (48, 64)).astype(kind)
    expected = np.zeros((48, 64, 3), np.uint8)
    for item in card.classes:
        expected[classes == item.id] = item.color
    np.testing.assert_array_equal(color_map(classes, card), expected)


def test_a_class_map_may_be_a_view_with_strides():
    card = make_card()
    classes = classes_with((3, 0, 0, 100, 100))
    np.testing.assert_array_equal(
        color_map(classes[::2, ::2], card), color_map(classes, card)[::2, ::2]
    )


@pytest.mark.parametrize('color', ['rgb', 'bgr', 'gray'])
def test_classes_are_blended_over_images_of_each_colour_order(color, monkeypatch):
    without_captions(monkeypatch)
    pixels = {'rgb': RGB, 'bgr': RGB[:, :, ::-1].copy(), 'gray': RGB[:, :, 0].copy()}[color]
    pixels.flags.writeable = False
    before = pixels.copy()
    classes = classes_with((3, 10, 20, 110, 120), (9, 150, 0, 320, 240))
    drawn = draw_overlay(Frame(pixels, color), Segmentation(SIZE_HW, 255, classes), make_card(),
                         0.25)
    rgb = RGB[:, :, [0, 0, 0]] if color == 'gray' else RGB
    expected = rgb.astype(float)
    for number in (3, 9):
        mixed = 0.75 * expected + 0.25 * np.array(COLORS[number])
        expected[classes == number] = mixed[classes == number]
    np.testing.assert_allclose(drawn, expected, atol=0.51)
    np.testing.assert_array_equal(drawn[classes == 255], rgb[classes == 255])
    np.testing.assert_array_equal(pixels, before)
    assert drawn.flags.writeable
    assert not np.shares_memory(drawn, pixels)


def test_rows_of_an_image_may_be_padded(monkeypatch):
    without_captions(monkeypatch)
    padded = np.zeros((240, 400, 3), np.uint8)
    padded[:, :320] = RGB
    segmentation = Segmentation(SIZE_HW, 255, classes_with((3, 10, 20, 110, 120)))
    np.testing.assert_array_equal(
        draw_overlay(Frame(padded[:, :320]), segmentation, make_card(), 0.5),
        draw_overlay(Frame(RGB), segmentation, make_card(), 0.5),
    )


@pytest.mark.parametrize('alpha', [0.0, 0.3, 0.5, 1.0])
def test_pixels_without_a_class_are_unchanged(alpha, monkeypatch):
    without_captions(monkeypatch)
    segmentation = instances_of((4, 60, 60, 200, 180))
    drawn = draw_overlay(Frame(RGB), segmentation, make_card(), alpha)
    outside = segmentation.classes == 255
    np.testing.assert_array_equal(drawn[outside], RGB[outside])


def test_classes_to_be_ignored_stay_as_they_are():
    classes = classes_with((3, 0, 0, 160, 240), (9, 160, 0, 320, 240))
    drawn = draw_overlay(
        Frame(RGB), Segmentation(SIZE_HW, 255, classes), make_card(ignored=(9,)), 0.5
    )
    np.testing.assert_array_equal(drawn[classes == 9], RGB[classes == 9])
    assert (drawn[classes == 3] != RGB[classes == 3]).any()


def test_with_alpha_0_only_outlines_and_captions_are_drawn(monkeypatch):
    without_captions(monkeypatch)
    drawn = draw_overlay(Frame(RGB), instances_of((4, 60, 60, 200, 180)), make_card(), 0.0)
    changed = (drawn != RGB).any(axis=2)
    frame = np.zeros(SIZE_HW, bool)
    frame[60:180, 60:200] = True
    frame[61:179, 61:199] = False
    np.testing.assert_array_equal(changed, frame)


def test_touching_instances_of_one_class_are_outlined_and_coloured_apart(monkeypatch):
    without_captions(monkeypatch)
    segmentation = instances_of((1, 60, 60, 120, 180), (2, 120, 60, 180, 180))
    black = np.zeros((*SIZE_HW, 3), np.uint8)
    drawn = draw_overlay(Frame(black), segmentation, make_card(), 1.0).astype(int)
    left, right = drawn[100, 80], drawn[100, 150]
    assert np.abs(left - right).max() > 40
    assert (drawn[62:178, 62:118] == left).all()
    for x in (119, 120):
        assert (drawn[70:170, x].sum(axis=1) > max(left.sum(), right.sum())).all()


def test_beside_instances_what_has_none_keeps_the_colour_of_its_class(monkeypatch):
    without_captions(monkeypatch)
    segmentation = instances_of((1, 60, 60, 120, 180))
    segmentation.classes[:, 200:] = 9
    drawn = draw_overlay(Frame(RGB), segmentation, make_card(), 1.0)
    assert (drawn[:, 200:] == COLORS[9]).all()
    assert (drawn[62:178, 62:118] != COLORS[3]).any(axis=2).all()


def test_an_outline_does_not_run_along_the_image_s_edge(monkeypatch):
    without_captions(monkeypatch)
    drawn = draw_overlay(Frame(RGB), instances_of((1, 0, 0, 320, 240)), make_card(), 0.0)
    np.testing.assert_array_equal(drawn, RGB)


def test_a_hundred_ids_give_a_hundred_colours_and_the_same_ones_every_time(monkeypatch):
    without_captions(monkeypatch)
    boxes = [(n, 32 * (n % 10), 24 * (n // 10), 32 * (n % 10) + 32, 24 * (n // 10) + 24)
             for n in range(1, 100)]
    black = Frame(np.zeros((*SIZE_HW, 3), np.uint8))
    drawn = draw_overlay(black, instances_of(*boxes, class_id=9), make_card(), 1.0)
    seen = {tuple(drawn[y + 12, x + 16].tolist()) for _, x, y, _, _ in boxes}
    assert len(seen) == 99
    again = draw_overlay(black, instances_of(*boxes[::-1], class_id=9), make_card(), 1.0)
    np.testing.assert_array_equal(again, drawn)


@pytest.fixture
def captions(monkeypatch):
    kept = []
    monkeypatch.setattr(
        'seg_ros.masks.overlay.write_captions', lambda drawn, captions: kept.extend(captions)
    )
    return kept


def test_an_instance_carries_its_name_id_and_score_at_its_top(captions):
    draw_overlay(Frame(RGB), instances_of((300, 60, 70, 170, 180)), make_card(), 0.5)
    (caption,) = captions
    assert caption.text == 'class3 300 90%'
    (x, y, above), middle = caption.spots
    assert (x, y, above) == (pytest.approx(114.5), 70, 1.0)
    assert middle == (pytest.approx(115, abs=4), pytest.approx(125, abs=4), 0.5)


def test_a_plate_has_the_colour_of_its_instance(captions):
    black = np.zeros((*SIZE_HW, 3), np.uint8)
    drawn = draw_overlay(Frame(black), instances_of((5, 60, 70, 200, 180)), make_card(), 1.0)
    (caption,) = captions
    assert caption.color == tuple(drawn[120, 130].tolist())


def test_a_class_without_instances_carries_its_name_where_it_is_widest(captions):
    classes = classes_with((3, 0, 0, 320, 10), (3, 200, 0, 300, 100))
    draw_overlay(Frame(RGB), Segmentation(SIZE_HW, 255, classes), make_card(), 0.5)
    (caption,) = captions
    assert (caption.text, caption.color) == ('class3', COLORS[3])
    ((x, y, above),) = caption.spots
    assert 230 < x < 270
    assert 30 < y < 70
    assert above == 0.5


def test_a_class_is_named_where_it_is_widest_beside_its_instances(captions):
    segmentation = instances_of((1, 0, 0, 200, 240))
    segmentation.classes[20:100, 220:300] = 3
    draw_overlay(Frame(RGB), segmentation, make_card(), 0.5)
    instance, rest = captions
    assert (instance.text, rest.text) == ('class3 1 90%', 'class3')
    ((x, y, _),) = rest.spots
    assert (x, y) == (pytest.approx(260, abs=4), pytest.approx(60, abs=4))


def test_a_sliver_of_a_class_is_not_named(captions):
    classes = classes_with((3, 0, 0, 320, 6))
    draw_overlay(Frame(RGB), Segmentation(SIZE_HW, 255, classes), make_card(), 0.5)
    assert captions == []


def test_captions_reach_the_image():
    segmentation = instances_of((4, 60, 60, 200, 180))
    drawn = draw_overlay(Frame(RGB), segmentation, make_card(), 0.0)
    assert (drawn[45:60, 100:160] != RGB[45:60, 100:160]).any(axis=2).mean() > 0.8


def test_an_image_of_one_pixel_can_be_drawn():
    classes = np.array([[3]], np.uint8)
    instances = np.array([[1]], np.uint16)
    segment = Segment(1, 3, 0.5, (0, 0, 1, 1), 1)
    segmentation = Segmentation((1, 1), 255, classes, None, instances, (segment,))
    frame = Frame(np.zeros((1, 1, 3), np.uint8))
    assert draw_overlay(frame, segmentation, make_card(), 0.5).shape == (1, 1, 3)


def test_masks_of_another_size_or_without_classes_are_refused():
    small = Segmentation((2, 2), 255, np.zeros((2, 2), np.uint8))
    with pytest.raises(ImageError, match='2x2, the size of the masks'):
        draw_overlay(Frame(RGB), small, make_card(), 0.5)
    with pytest.raises(ContractError, match='without classes'):
        draw_overlay(Frame(RGB), Segmentation(SIZE_HW), make_card(), 0.5)
