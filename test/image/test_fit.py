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

"""An image is fitted as the networks' own code does it, and boxes find their way back."""

import cv2
import numpy as np
import pytest
from seg_ros.core.card import InputSpec
from seg_ros.core.frame import Frame
from seg_ros.image.fit import Fit, fit_for, fit_image

SIZES = [
    (1, 1), (1, 2000), (2000, 1), (7, 13), (480, 640), (479, 641), (720, 1280), (1080, 1920),
    (333, 500), (1937, 2591), (31, 33), (640, 640), (97, 4001),
]
NETWORKS = [(640, 640), (512, 1024), (224, 320), (65, 63), (1, 1)]
PAIRS = [(source, network) for source in SIZES for network in NETWORKS]
RULES = ('letterbox', 'stretch', 'shortest_side')


def yolov5_letterbox(source_hw, network_hw):
    """Return resized size, top, bottom, left, right as YOLOv5's letterbox works them out."""
    r = min(network_hw[0] / source_hw[0], network_hw[1] / source_hw[1])
    width, height = round(source_hw[1] * r), round(source_hw[0] * r)
    dw, dh = (network_hw[1] - width) / 2, (network_hw[0] - height) / 2
    top, bottom = round(dh - 0.1), round(dh + 0.1)
    left, right = round(dw - 0.1), round(dw + 0.1)
    return (height, width), top, bottom, left, right


def random_image(size_hw, color='rgb', seed=0):
    shape = size_hw if color == 'gray' else (*size_hw, 3)
    return Frame(np.random.default_rng(seed).integers(0, 256, shape, np.uint8), color)


def fitted(frame, network_hw, spec):
    """Fit into memory that was full of something else."""
    out = np.full((*network_hw, spec.channels), 77, np.uint8)
    fit_image(frame, fit_for(frame.size_hw, network_hw, spec), spec, out)
    return out


@pytest.mark.parametrize(('source', 'network'), PAIRS)
def test_fit_rounds_as_yolov5_does(source, network):
    fit = fit_for(source, network, InputSpec())
    resized, top, bottom, left, right = yolov5_letterbox(source, network)
    if 0 in resized:  # where YOLOv5 would fail, one row or column is left
        assert fit.resized_hw == (max(1, resized[0]), max(1, resized[1]))
        return
    assert fit.resized_hw == resized
    assert fit.offset_yx == (top, left)
    assert (top + resized[0] + bottom, left + resized[1] + right) == network


@pytest.mark.parametrize(('source', 'network'), PAIRS)
def test_shortest_side_fills_the_network_and_crops_evenly(source, network):
    fit = fit_for(source, network, InputSpec(fit='shortest_side'))
    for axis in (0, 1):
        assert fit.resized_hw[axis] >= network[axis]
        ahead = -fit.offset_yx[axis]
        behind = fit.resized_hw[axis] - network[axis] - ahead
        assert abs(ahead - behind) <= 1
        assert min(ahead, behind) >= 0
    assert network[0] == fit.resized_hw[0] or network[1] == fit.resized_hw[1]


@pytest.mark.parametrize(('source', 'network'), PAIRS)
def test_stretch_fills_the_network_exactly(source, network):
    fit = fit_for(source, network, InputSpec(fit='stretch'))
    assert (fit.resized_hw, fit.offset_yx) == (network, (0, 0))


@pytest.mark.parametrize('rule', ['letterbox', 'shortest_side'])
def test_an_image_may_be_aligned_to_the_top_left(rule):
    fit = fit_for((480, 640), (640, 640), InputSpec(fit=rule, align='top_left'))
    assert fit.offset_yx == (0, 0)


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize(('source', 'network'), PAIRS)
def test_boxes_return_from_the_network_where_they_came_from(source, network, rule):
    fit = fit_for(source, network, InputSpec(fit=rule))
    height, width = source
    rng = np.random.default_rng(1)
    corners = np.sort(rng.uniform(0, 1, (50, 2, 2)), axis=1).reshape(50, 4)
    boxes = (corners * [width, height, width, height]).astype(np.float32)
    back = fit.source_xyxy(fit.network_xyxy(boxes))
    np.testing.assert_allclose(back, boxes, atol=1e-3 + 2e-6 * max(source))
    whole = np.array([0, 0, width, height], np.float32)
    top, left = fit.offset_yx
    bottom, right = top + fit.resized_hw[0], left + fit.resized_hw[1]
    np.testing.assert_allclose(
        fit.network_xyxy(whole), [left, top, right, bottom], atol=1e-3, rtol=1e-6
    )


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize(('source', 'network'), PAIRS)
def test_the_network_sees_the_pixels_whose_centres_lie_in_its_input(source, network, rule):
    fit = fit_for(source, network, InputSpec(fit=rule))
    x0, y0, x1, y1 = fit.seen_xyxy
    for axis, (first, stop) in enumerate([(y0, y1), (x0, x1)]):
        scale = fit.resized_hw[axis] / source[axis]
        centres = (np.arange(source[axis]) + 0.5) * scale + fit.offset_yx[axis]
        inside = (centres > 1e-6) & (centres < network[axis] - 1e-6)
        seen = np.zeros(source[axis], bool)
        seen[first:stop] = True
        on_edge = np.minimum(abs(centres), abs(centres - network[axis])) <= 1e-6
        np.testing.assert_array_equal(seen[~on_edge], inside[~on_edge])
        if rule != 'shortest_side':
            assert seen.all()


@pytest.mark.parametrize('fit', [
    fit_for((481, 640), (320, 320), InputSpec()),
    fit_for((481, 640), (224, 200), InputSpec(fit='shortest_side')),
    fit_for((31, 53), (256, 512), InputSpec(fit='stretch')),
])
@pytest.mark.parametrize('size', [(40, 40), (33, 65), (1, 2), (320, 320)])
@pytest.mark.parametrize('rule', ['half_pixel', 'align_corners', 'asymmetric'])
def test_the_grid_lies_where_onnx_resize_puts_it(fit, size, rule):
    for axis in (0, 1):
        count, network = size[axis], fit.network_hw[axis]
        slope, start = fit.grid(size, axis, rule)
        for pixel in range(0, fit.source_hw[axis], 7):
            centre = (pixel + 0.5) * fit.resized_hw[axis] / fit.source_hw[axis]
            index = centre + fit.offset_yx[axis] - 0.5  # in the network's input, as Resize counts
            expected = {
                'half_pixel': (index + 0.5) * count / network - 0.5,
                'align_corners': index * (count - 1) / (network - 1),
                'asymmetric': index * count / network,
            }[rule]
            assert slope * pixel + start == pytest.approx(expected, abs=1e-9)


def test_a_map_of_one_pixel_is_everywhere_that_pixel():
    fit = fit_for((4, 4), (1, 1), InputSpec(fit='stretch'))
    assert fit.grid((1, 1), 0, 'align_corners') == (0, 0)


@pytest.mark.parametrize('align', ['center', 'top_left'])
@pytest.mark.parametrize(('source', 'network'), [
    ((480, 640), (320, 320)), ((641, 479), (321, 323)), ((10, 31), (64, 96)), ((5, 5), (5, 9)),
])
def test_a_letterboxed_image_is_that_of_copy_make_border(source, network, align):
    spec = InputSpec(align=align, pad=114)
    frame = random_image(source)
    (height, width), top, bottom, left, right = yolov5_letterbox(source, network)
    if align == 'top_left':
        top, bottom, left, right = 0, top + bottom, 0, left + right
    resized = cv2.resize(frame.pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    expected = cv2.copyMakeBorder(
        resized, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(114, 114, 114)
    )
    np.testing.assert_array_equal(fitted(frame, network, spec), expected)


@pytest.mark.parametrize(('source', 'network'), [
    ((48, 64), (32, 32)), ((64, 48), (33, 31)), ((9, 31), (64, 64)), ((30, 30), (20, 30)),
])
def test_a_cropped_image_is_the_middle_of_the_resized_one(source, network):
    spec = InputSpec(fit='shortest_side')
    frame = random_image(source)
    fit = fit_for(source, network, spec)
    resized = cv2.resize(frame.pixels, fit.resized_hw[::-1], interpolation=cv2.INTER_LINEAR)
    top, left = -fit.offset_yx[0], -fit.offset_yx[1]
    expected = resized[top:top + network[0], left:left + network[1]]
    np.testing.assert_array_equal(fitted(frame, network, spec), expected)


@pytest.mark.parametrize(('source', 'network', 'rule'), [
    ((480, 640), (120, 160), cv2.INTER_AREA), ((48, 64), (96, 128), cv2.INTER_LINEAR),
])
def test_area_resampling_applies_to_shrinking_only(source, network, rule):
    frame = random_image(source)
    expected = cv2.resize(frame.pixels, network[::-1], interpolation=rule)
    spec = InputSpec(fit='stretch', resample='area')
    np.testing.assert_array_equal(fitted(frame, network, spec), expected)


@pytest.mark.parametrize('size', [(6, 9), (3, 4), (12, 18)])
@pytest.mark.parametrize(('seen', 'wanted'), [
    ('rgb', 'rgb'), ('bgr', 'bgr'), ('rgb', 'bgr'), ('bgr', 'rgb'),
])
def test_color_orders_are_those_of_plain_slicing(seen, wanted, size):
    frame = random_image((6, 9), seen)
    resized = cv2.resize(frame.pixels, size[::-1], interpolation=cv2.INTER_LINEAR)
    expected = resized if seen == wanted else resized[:, :, ::-1]
    spec = InputSpec(fit='stretch', color=wanted)
    np.testing.assert_array_equal(fitted(frame, size, spec), expected)


@pytest.mark.parametrize('wanted', ['rgb', 'bgr'])
def test_a_gray_camera_serves_a_colored_network(wanted):
    frame = random_image((6, 9), 'gray')
    out = fitted(frame, (6, 9), InputSpec(fit='stretch', color=wanted))
    np.testing.assert_array_equal(out, np.repeat(frame.pixels[:, :, None], 3, axis=2))


@pytest.mark.parametrize('seen', ['rgb', 'bgr'])
def test_a_gray_network_sees_the_luma_of_bt601(seen):
    frame = random_image((6, 9), seen)
    red, green, blue = np.moveaxis(frame.pixels[:, :, ::1 if seen == 'rgb' else -1], 2, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    out = fitted(frame, (6, 9), InputSpec(fit='stretch', color='gray'))
    assert out.shape == (6, 9, 1)
    assert abs(out[:, :, 0] - luma).max() <= 1


def test_a_gray_letterbox_is_padded_too():
    spec = InputSpec(color='gray', pad=3)
    out = fitted(random_image((4, 8), 'gray'), (8, 8), spec)
    assert (out[:2] == 3).all()
    assert (out[6:] == 3).all()


def test_a_read_only_view_with_padded_rows_is_fitted_like_a_copy():
    raw = np.random.default_rng(2).integers(0, 256, 40 * 200, np.uint8).tobytes()
    rows = np.frombuffer(raw, np.uint8).reshape(40, 200)
    view = np.lib.stride_tricks.as_strided(rows, (40, 60, 3), (200, 3, 1), writeable=False)
    for spec in (InputSpec(color='bgr'), InputSpec(color='gray', fit='shortest_side')):
        for network in ((40, 60), (32, 32), (90, 90)):
            np.testing.assert_array_equal(
                fitted(Frame(view), network, spec), fitted(Frame(view.copy()), network, spec)
            )


def test_the_scales_follow_from_the_rounded_size():
    fit = Fit((3, 7), (10, 10), (4, 10), (3, 0))
    assert fit.scale_yx == (4 / 3, 10 / 7)
