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

"""A promptable model from Python: what is asked for is found, followed, and bears its id."""

from fakes.promptable_network import bright_near, image_of, saved_promptable
import numpy as np
import pytest
from seg_ros import Segmenter
from seg_ros.core.errors import PromptError, SettingError
from seg_ros.core.prompts import Prompt

CUP, PLATE = (10, 10, 20, 20), (40, 20, 55, 40)


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return str(saved_promptable(tmp_path_factory.mktemp('promptable'), 'points'))


@pytest.fixture
def segmenter(model):
    with Segmenter(model, engine='onnxruntime', inference_precision='f32') as opened:
        yield opened


def test_a_box_and_a_point_find_their_objects(segmenter):
    image = image_of(CUP, PLATE)
    masks = segmenter(image, prompts=[(9, 9, 19, 19), (48, 30)])
    masks.segmentation.verify()
    assert {item.id: item.xyxy for item in masks.segments} == {1: CUP, 2: PLATE}
    expected = bright_near(image, (9, 9, 19, 19))
    np.testing.assert_array_equal(masks.instances == 1, expected)
    assert (masks.classes == 3).sum() == sum(item.area for item in masks.segments)


def test_ids_and_names_are_those_of_the_prompts(segmenter):
    masks = segmenter(image_of(CUP, PLATE), prompts=[
        Prompt(700, PLATE, 'cup'), Prompt(12, CUP),
    ])
    found = {item.id: masks.class_name(item) for item in masks.segments}
    assert found == {700: 'cup', 12: 'object'}


def test_prompts_follow_their_objects_until_others_are_asked_for(segmenter):
    segmenter(image_of(CUP), prompts=[CUP])
    for step in range(1, 8):        # beyond what the first box could reach
        x0 = 10 + 5 * step
        (found,) = segmenter(image_of((x0, 10, x0 + 10, 20))).segments
        assert (found.id, found.xyxy) == (1, (x0, 10, x0 + 10, 20))
    assert segmenter(image_of(CUP), prompts=[]).segments == ()
    assert segmenter(image_of(CUP)).segments == ()


def test_an_object_that_was_covered_is_found_where_it_was(segmenter):
    segmenter(image_of(CUP), prompts=[CUP])
    assert segmenter(image_of()).segments == ()
    assert [item.id for item in segmenter(image_of(CUP)).segments] == [1]


def test_a_restart_asks_for_nothing(segmenter):
    segmenter(image_of(CUP), prompts=[CUP])
    segmenter.restart()
    assert segmenter(image_of(CUP)).segments == ()


def test_images_of_other_sizes_are_prompted_in_their_own_pixels(segmenter):
    image = image_of(CUP).repeat(3, axis=0).repeat(2, axis=1)
    (found,) = segmenter(image, prompts=[(20, 30, 40, 60)]).segments
    np.testing.assert_allclose(found.xyxy, (20, 30, 40, 60), atol=2)


@pytest.mark.parametrize(('prompts', 'words'), [
    ([(1, 2, 3)], r'prompt \(1, 2, 3\); expected \(x0, y0, x1, y1\) or \(x, y\)'),
    (CUP, r'prompt 10; expected \(x0, y0, x1, y1\) or \(x, y\), in pixels; give a list'),
    (['1 2'], 'give a list of those'), ([(float('nan'), 2)], 'pixels of the image'),
    ([(64, 2)], 'prompt 1 lies outside .* 64x48'),
    ([CUP] * 5, 'more than 4, the limit of the model bright'),
    ([Prompt(1, CUP, 'plate')], 'no class plate'),
    ([(5, 5, 1, 9)], 'x0 < x1'),
])
def test_what_cannot_be_answered_is_refused(segmenter, prompts, words):
    with pytest.raises(PromptError, match=words):
        segmenter(image_of(CUP), prompts=prompts)


def test_prompts_of_the_settings_stay_where_they_are(model):
    with Segmenter(model, engine='onnxruntime', prompts=('cup 10 10 20 20',)) as fixed:
        assert [item.xyxy for item in fixed(image_of(CUP)).segments] == [CUP]
        for x0 in (15, 20):
            fixed(image_of((x0, 10, x0 + 10, 20)))
        assert fixed(image_of((32, 10, 40, 20))).segments == ()
        assert [item.xyxy for item in fixed(image_of(CUP)).segments] == [CUP]


def test_a_model_that_takes_no_prompts_refuses_them():
    with Segmenter('otsu') as plain, pytest.raises(PromptError, match='takes no prompts'):
        plain(image_of(CUP), prompts=[CUP])
    with pytest.raises(SettingError, match='takes no prompts'):
        Segmenter('otsu', prompts=('1 2',))


def test_ids_count_from_behind_those_of_the_settings(model):
    with Segmenter(model, engine='onnxruntime', prompts=('cup 10 10 20 20',)) as fixed:
        found = fixed(image_of(CUP, PLATE), prompts=[PLATE]).segments
        assert {item.id: item.xyxy for item in found} == {1: CUP, 2: PLATE}


def test_an_object_is_followed_into_images_of_another_size(segmenter):
    segmenter(image_of(CUP), prompts=[CUP])
    larger = image_of((15, 10, 25, 20)).repeat(2, axis=0).repeat(2, axis=1)
    (found,) = segmenter(larger).segments
    assert found.id == 1
    np.testing.assert_allclose(found.xyxy, (30, 20, 50, 40), atol=2)


def test_prompts_of_classes_that_are_left_out_are_refused(model):
    with (
        Segmenter(model, engine='onnxruntime', classes=('cup',)) as cups,
        pytest.raises(PromptError, match='object, the class of prompt 1, is not among `classes`'),
    ):
        cups(image_of(CUP), prompts=[CUP])
    with pytest.raises(SettingError, match='is not among `classes`'):
        Segmenter(model, engine='onnxruntime', classes=('cup',), prompts=('1 2',))
