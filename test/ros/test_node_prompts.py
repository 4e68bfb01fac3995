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

"""A promptable model in the node: prompts by parameter and, with vision_msgs, by topic."""

from fakes.promptable_network import bright_near, image_of, saved_promptable
import numpy as np
import pytest
from robot import pixels
from seg_ros.ros import prompts_input
from sensor_msgs.msg import Image

CUP, PLATE = (10, 10, 20, 20), (40, 20, 55, 40)
INSTANCE = '/segmentation/camera/instance'


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return str(saved_promptable(tmp_path_factory.mktemp('promptable'), 'points'))


def masks_of(each, messages, image):
    count = len(messages)
    each.send(each.image(image))
    each.wait(lambda: len(messages) > count, 'a mask')
    return pixels(messages[-1])


def test_a_fixed_prompt_is_answered_in_every_image_and_changes_live(robot, model):
    each = robot(model=model, prompts=['9 9 19 19'])
    found = each.listen(INSTANCE, Image)
    image = image_of(CUP, PLATE)
    np.testing.assert_array_equal(
        masks_of(each, found, image) == 1, bright_near(image, (9, 9, 19, 19))
    )
    assert each.set_parameter('prompts', ['cup 40 20 50 38', '12 12']).successful
    each.wait(lambda: set(np.unique(masks_of(each, found, image))) == {0, 1, 2}, 'both')
    assert (pixels(found[-1])[20:40, 40:55] == 1).all()


@pytest.mark.parametrize(('prompts', 'words'), [
    (['plate 1 2 3 4'], 'no class plate'), (['1 2'] * 5, 'more than 4'), (['cup'], 'X0 Y0 X1 Y1'),
])
def test_prompts_that_get_no_answer_are_refused_and_the_old_ones_stay(
    prompts, words, robot, model
):
    each = robot(model=model, prompts=['9 9 19 19'])
    answer = each.set_parameter('prompts', prompts)
    assert not answer.successful
    assert words in answer.reason
    assert list(each.node.get_parameter('prompts').value) == ['9 9 19 19']


def test_without_prompts_masks_are_empty_and_come_all_the_same(robot, model):
    each = robot(model=model)
    found = each.listen(INSTANCE, Image)
    assert not masks_of(each, found, image_of(CUP)).any()


def test_a_prompt_outside_of_the_image_is_in_the_diagnostics(robot, model):
    each = robot(model=model, prompts=['9 9 19 19', '500 500'])
    found = each.listen(INSTANCE, Image)

    def said():
        assert set(np.unique(masks_of(each, found, image_of(CUP)))) == {0, 1}
        return 'prompt 2 lies outside' in each.words.get('camera', '')

    each.wait(said, 'the diagnostics')


def test_without_vision_msgs_and_prompts_the_diagnostics_say_that_nothing_can_be_asked(
    robot, model, monkeypatch
):
    monkeypatch.setattr(prompts_input, 'MISSING', 'no vision_msgs')
    each = robot(model=model)
    found = each.listen(INSTANCE, Image)

    def words():
        masks_of(each, found, image_of(CUP))
        return each.words.get('camera', '')

    each.wait(lambda: 'no vision_msgs; or set the parameter prompts' in words(), 'the complaint')
    assert each.set_parameter('prompts', ['12 12']).successful
    each.wait(lambda: words() == 'active', 'all to be well')


def test_prompts_by_topic_follow_their_objects_and_keep_their_ids(robot, model):
    msg = pytest.importorskip('vision_msgs.msg', reason='vision_msgs is not installed')
    each = robot(model=model)
    found = each.listen(INSTANCE, Image)
    detections = each.listen('/segmentation/camera/detections', msg.Detection2DArray)
    asked = msg.Detection2D(id='300')
    asked.bbox.center.position.x = asked.bbox.center.position.y = 15.0
    asked.bbox.size_x = asked.bbox.size_y = 8.0
    each.send(
        msg.Detection2DArray(detections=[asked]), '/segmentation/camera/prompts', reliable=True
    )
    each.wait(lambda: masks_of(each, found, image_of(CUP)).any(), 'an answer')
    for step in range(1, 6):
        x0 = 10 + 5 * step
        image = image_of((x0, 10, x0 + 10, 20))
        assert set(np.unique(masks_of(each, found, image))) == {0, 300}
        assert pixels(found[-1])[15, x0 + 5] == 300
    each.wait(lambda: detections and detections[-1].detections, 'detections')
    assert detections[-1].detections[0].id == '300'
    each.send(msg.Detection2DArray(), '/segmentation/camera/prompts', reliable=True)
    each.wait(lambda: not masks_of(each, found, image).any(), 'the prompts to end')


def test_what_cannot_be_answered_is_in_the_diagnostics(robot, model):
    msg = pytest.importorskip('vision_msgs.msg', reason='vision_msgs is not installed')
    each = robot(model=model)
    found = each.listen(INSTANCE, Image)
    rows = [msg.Detection2D(id=str(number)) for number in range(1, 7)]
    for row in rows:
        row.bbox.center.position.x = row.bbox.center.position.y = 15.0
    each.send(
        msg.Detection2DArray(detections=rows), '/segmentation/camera/prompts', reliable=True
    )

    def said():
        masks_of(each, found, image_of(CUP))
        return 'more than 4' in each.words.get('camera', '')

    each.wait(said, 'the diagnostics')
    assert each.diagnostics['camera']['prompts'] == '6'


def test_prompts_without_ids_get_others_than_those_of_the_parameter(robot, model):
    msg = pytest.importorskip('vision_msgs.msg', reason='vision_msgs is not installed')
    each = robot(model=model, prompts=['9 9 19 19'])
    found = each.listen(INSTANCE, Image)
    row = msg.Detection2D()
    row.bbox.center.position.x, row.bbox.center.position.y = 47.0, 30.0
    each.send(
        msg.Detection2DArray(detections=[row]), '/segmentation/camera/prompts', reliable=True
    )
    image = image_of(CUP, PLATE)
    each.wait(lambda: set(np.unique(masks_of(each, found, image))) == {0, 1, 2}, 'both')


def test_prompts_arrive_from_who_offers_best_effort_only(robot, model):
    msg = pytest.importorskip('vision_msgs.msg', reason='vision_msgs is not installed')
    each = robot(model=model)
    found = each.listen(INSTANCE, Image)
    row = msg.Detection2D(id='5')
    row.bbox.center.position.x, row.bbox.center.position.y = 47.0, 30.0
    message = msg.Detection2DArray(detections=[row])
    each.send(message, '/segmentation/camera/prompts', reliable=False)

    def answered():
        each.send(message, '/segmentation/camera/prompts', reliable=False)
        return masks_of(each, found, image_of(CUP, PLATE)).max() == 5

    each.wait(answered, 'an answer')


def test_what_gets_no_answer_is_logged_now_and_then_whatever_the_ids(robot, model, monkeypatch):
    each = robot(model=model, prompts=['500 500'])
    found = each.listen(INSTANCE, Image)
    logged = []
    monkeypatch.setattr(
        each.node.throttled, 'warning', lambda words, thing, **_: logged.append((words, thing))
    )
    for prompts in (['500 500'], ['9 9', '500 500']):
        assert each.set_parameter('prompts', prompts).successful
        masks_of(each, found, image_of(CUP))
        words = f'camera: prompts: prompt {len(prompts)} lies outside'
        each.wait(lambda words=words: any(row[0].startswith(words) for row in logged), words)
    assert {thing for words, thing in logged if 'prompts:' in words} == {('camera', 'unanswered')}
