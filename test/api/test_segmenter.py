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

"""One call takes an image to its masks, as the node would; importing the package costs nothing."""

from pathlib import Path
import subprocess
import sys
import warnings

import numpy as np
import pytest
import seg_ros
from seg_ros import Segmenter
from seg_ros.core.errors import ImageError, SettingError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def image():
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[10:30, 20:50] = 255
    return pixels


@pytest.fixture
def segmenter():
    with Segmenter('otsu') as opened:
        yield opened


def test_the_bright_object_of_an_image_is_found(segmenter, image):
    masks = segmenter(image)
    (segment,) = masks.segments
    assert segment.xyxy == (20, 10, 50, 30)
    assert segment.area == 20 * 30
    assert (masks.mask(segment) == (image[..., 0] > 0)).all()
    assert (masks.classes[masks.mask(segment)] == segment.class_id).all()
    assert masks.class_name(segment) == segmenter.card.by_id[segment.class_id].name


def test_masks_are_shown_in_one_line(segmenter, image):
    masks = segmenter(image)
    name = masks.class_name(masks.segments[0])
    shown = f'<Masks of a 80x60 image by {segmenter.card.name}; segments: 1 {name}>'
    assert repr(masks) == shown
    assert 'segments: none' in repr(segmenter(np.zeros_like(image)))


def test_panoptic_is_class_and_instance_in_one_number(segmenter, image):
    masks = segmenter(image)
    merged = masks.panoptic()
    assert (merged >> 16 == masks.classes).all()
    assert (merged & 0xffff == masks.instances).all()


def test_an_overlay_is_drawn_on_the_image_or_on_another(segmenter, image):
    masks = segmenter(image)
    drawn = masks.draw()
    assert drawn.shape == image.shape
    assert not (drawn == image).all()
    assert (masks.draw(image[..., ::-1], color='bgr') == drawn).all()
    with pytest.raises(ImageError):
        masks.draw(image.astype(float))


def test_ids_last_from_call_to_call_with_tracking_until_a_restart(image):
    with Segmenter('otsu', tracking=True) as segmenter:
        first = segmenter(image).segments[0].id
        moved = np.roll(image, 2, axis=1)
        assert segmenter(moved).segments[0].id == first
        segmenter.restart()
        assert len(segmenter(image).segments) == 1


def test_a_setting_that_does_not_exist_is_refused_by_name():
    with pytest.raises(SettingError, match='unknown settings treshold'):
        Segmenter('otsu', treshold=0.5)


@pytest.mark.parametrize('several', [list, tuple, np.array])
def test_names_come_in_any_sequence_and_a_bare_word_is_none(image, several):
    with Segmenter('otsu', classes=several(['background'])) as segmenter:
        assert not segmenter(image).segments
    with pytest.raises(SettingError, match="classes: 'object'; expected a list of names"):
        Segmenter('otsu', classes='object')


def test_a_setting_that_only_the_node_reads_is_said_to_be_ignored():
    with pytest.warns(UserWarning, match='cameras, output_scale: only the node reads this'):
        Segmenter('otsu', cameras=['front'], output_scale=0.5).close()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        Segmenter('otsu', min_confidence=0.5, prompts=['']).close()


def test_what_the_engine_has_to_note_is_a_warning():
    with pytest.warns(UserWarning, match='source_size: 9x9 has no effect: upsample is nearest'):
        Segmenter(source_size='9x9', upsample='nearest').close()


def test_an_argument_that_cannot_be_used_is_named_and_spoils_no_later_call(segmenter, image):
    with pytest.raises(ImageError, match="color: 'hsv'; expected one of rgb, bgr, gray"):
        segmenter(image, color='hsv')
    with pytest.raises(ImageError, match="stamp_ns: 'x'; expected a whole number"):
        segmenter(image, stamp_ns='x')
    with pytest.raises(ImageError):
        segmenter(image.ravel(), prompts=[(1, 2)])
    with pytest.raises(SettingError, match='alpha: 7; expected'):
        segmenter(image).draw(alpha=7)


def test_a_file_that_could_not_be_read_is_named_as_the_cause(segmenter):
    with pytest.raises(ImageError, match=r'NoneType; .*cv2\.imread'):
        segmenter(None)


def test_an_image_of_floats_is_refused(segmenter):
    with pytest.raises(ImageError):
        segmenter(np.zeros((60, 80, 3)))


def test_all_public_names_are_there():
    assert {name: getattr(seg_ros, name) for name in seg_ros.__all__}
    with pytest.raises(AttributeError, match='nothing'):
        seg_ros.nothing  # noqa: B018


def test_importing_the_package_imports_neither_ros_nor_numpy_nor_an_engine():
    heavy = {'rclpy', 'numpy', 'cv2', 'openvino', 'onnxruntime', 'tensorrt'}
    program = f'import sys, seg_ros; print(sorted({heavy} & set(sys.modules)))'
    done = subprocess.run(
        [sys.executable, '-c', program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == '[]'


def test_using_it_imports_no_ros():
    program = (
        'import sys, numpy, seg_ros\n'
        'seg_ros.Segmenter("otsu")(numpy.zeros((9, 9, 3), numpy.uint8))\n'
        'print("rclpy" in sys.modules)'
    )
    done = subprocess.run(
        [sys.executable, '-c', program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == 'False'
