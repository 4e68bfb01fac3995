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

from onnx import helper
import pytest
from seg_ros.compile.exporter_card import card_from_metadata
from seg_ros.core.errors import CardError
from tiny_networks import model_of


def model_with(shape=('N', 3, 'h', 'w'), **facts):
    model = model_of([helper.make_node('Neg', ['x'], ['y'])], [('x', 1, shape)], ['y'])
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    return model


def test_the_metadata_of_ultralytics_make_a_card():
    card = card_from_metadata(
        model_with(
            names="{0: 'person', 1: 'traffic light'}", task='segment', imgsz='[480, 640]',
            description='Ultralytics YOLO11n-seg model', license='AGPL-3.0', stride='32',
        ),
        'yolo11n-seg',
    )
    assert card.name == 'Ultralytics YOLO11n-seg model'
    assert (card.task, card.licence) == ('instance', 'AGPL-3.0')
    assert [(item.id, item.name, item.thing) for item in card.classes] == [
        (0, 'person', True), (1, 'traffic light', True)
    ]
    assert card.input.size == (480, 640)
    assert (card.input.fit, card.input.pad, card.input.color) == ('letterbox', 114, 'rgb')
    assert card.input.scale == 1 / 255


def test_the_metadata_of_yolov5_make_a_card():
    card = card_from_metadata(model_with(names="['cat', 'dog']", stride='32'), 'yolov5s-seg')
    assert card.name == 'yolov5s-seg'
    assert [item.name for item in card.classes] == ['cat', 'dog']
    assert card.input.size == (0, 0)


def test_class_numbers_are_sorted_as_numbers():
    names = {number: f'class {number}' for number in (10, 2, 0, 1, *range(3, 10))}
    card = card_from_metadata(model_with(names=str(names)), 'm')
    assert [item.id for item in card.classes] == list(range(11))


def test_a_model_without_names_needs_a_card():
    with pytest.raises(CardError, match=r'm comes without a card.*\(stride\).*--card CARD.yaml'):
        card_from_metadata(model_with(stride='32'), 'm')


def test_a_network_that_gives_no_masks_is_refused():
    with pytest.raises(CardError, match='task is detect; expected segment'):
        card_from_metadata(model_with(names="['cat']", task='detect'), 'm')


@pytest.mark.parametrize('names', ['{0: person', '__import__("os")', '7', "{'a': 'b'}"])
def test_names_that_cannot_be_read_need_a_card(names):
    with pytest.raises(CardError):
        card_from_metadata(model_with(names=names), 'm')


def test_the_semantic_task_and_gray_images_of_ultralytics_make_a_card():
    card = card_from_metadata(
        model_with(names="{0: 'crop'}", task='semantic', imgsz='[96, 160]', channels='1'), 'm'
    )
    assert (card.task, card.input.color) == ('semantic', 'gray')
    assert [item.name for item in card.classes] == ['crop']


@pytest.mark.parametrize(('names', 'found'), [
    ('{"0": "person", "1": "car"}', ['person', 'car']), ("('a', 'b')", ['a', 'b']),
    ('{0: 0, 1: 1}', ['0', '1']), ("{1: 'b', 0: 'a'}", ['a', 'b']),
])
def test_names_are_read_in_whatever_way_they_are_written(names, found):
    card = card_from_metadata(model_with(names=names, imgsz='160'), 'm')
    assert [item.name for item in card.classes] == found
    assert card.input.size == (160, 160)


@pytest.mark.parametrize('names', [
    'None', '7', "{0: 'a', 2: 'b'}", "{1: 'a', 2: 'b'}", "{0: '', 1: 'b'}", '[]',
    "{0: array('a')}", '[' * 5000, "{'first': 'a'}",
])
def test_names_that_cannot_be_channels_are_refused_by_their_key(names):
    with pytest.raises(CardError, match="the exporter's names cannot be read"):
        card_from_metadata(model_with(names=names), 'm')


@pytest.mark.parametrize('size', ['big', '[96]', '[96.5, 160]', "['a', 'b']"])
def test_a_size_that_is_none_is_refused_by_its_key(size):
    with pytest.raises(CardError, match="the exporter's imgsz cannot be read"):
        card_from_metadata(model_with(names="['a']", imgsz=size), 'm')


@pytest.mark.parametrize('size', ['[64, 64]', '', 'None', '1e999', '[nan, 3]'])
def test_the_size_of_the_network_itself_counts_before_what_its_exporter_wrote(size):
    model = model_with((1, 3, 96, 160), names="['crop']", task='semantic', imgsz=size)
    assert card_from_metadata(model, 'm').input.size == (0, 0)


@pytest.mark.parametrize('size', ['', 'None', '1e999', '[1e999, 32]'])
def test_a_size_that_cannot_be_read_needs_a_card_where_the_network_takes_any(size):
    with pytest.raises(CardError, match='imgsz cannot be read'):
        card_from_metadata(model_with(names="['crop']", task='semantic', imgsz=size), 'm')


def test_images_are_grey_where_the_network_takes_one_channel():
    model = model_with((1, 1, 96, 160), names="['crop']", task='semantic')
    assert card_from_metadata(model, 'm').input.color == 'gray'


@pytest.mark.parametrize('names', ["[['a'], ['b']]", "{0: {'name': 'a'}}"])
def test_names_that_are_no_words_need_a_card(names):
    with pytest.raises(CardError, match=r"names cannot be read.*a name in the place of .*'a'"):
        card_from_metadata(model_with(names=names), 'm')


def test_a_description_that_cannot_be_printed_gives_no_name():
    assert card_from_metadata(model_with(names="['a']", description='\x1b[31m'), 'm').name == 'm'
