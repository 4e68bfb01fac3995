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

"""A card survives YAML and JSON, what is left out is filled in and the rest is refused."""

from datetime import date
import json

import pytest
from seg_ros.core.card import (
    CardThresholds,
    distinct_colors,
    InputSpec,
)
from seg_ros.core.card_reading import card_from_dict, read_card
from seg_ros.core.errors import CardError
from town_card import FULL
import yaml

MINIMAL = {'name': 'town', 'classes': [{'id': 0, 'name': 'road'}, {'id': 7, 'name': 'car'}]}


COMPLETE_YAML = """
name: town
task: panoptic
family: yolo
input:
  size: [480, 640]
  fit: shortest_side
  align: top_left
  resample: area
  pad: 0
  color: bgr
  scale: 1
  mean: [1, 2, 3]
  std: [57, 58, 59]
classes:
  - {id: 0, name: road, color: [128, 64, 128], roles: [traversable]}
  - {id: 65534, name: car, color: [0, 0, 142], thing: true, roles: [dynamic, graspable]}
thresholds: {score: 0.1, mask: 0.2, iou: 0.3, visible: 0.4}
licence: MIT
source: a paper
source_sha256: abababababababababababababababababababababababababababababababab
"""


def with_class(**changes):
    """Return a minimal card whose second class has other values."""
    return {**MINIMAL, 'classes': [MINIMAL['classes'][0], {**MINIMAL['classes'][1], **changes}]}


def test_a_complete_card_is_read_from_yaml(tmp_path):
    path = tmp_path / 'card.yaml'
    path.write_text(COMPLETE_YAML, encoding='utf-8')
    assert read_card(path) == FULL


def test_a_card_survives_json_and_yaml():
    assert card_from_dict(json.loads(json.dumps(FULL.to_dict()))) == FULL
    plain = json.loads(json.dumps(FULL.to_dict()))
    assert card_from_dict(yaml.safe_load(yaml.safe_dump(plain))) == FULL


def test_only_ids_and_names_are_required():
    card = card_from_dict(MINIMAL)
    assert (card.task, card.family, card.licence) == ('semantic', '', '')
    assert card.input == InputSpec((0, 0), 'letterbox', 'center', 'bilinear', 114, 'rgb', 1 / 255)
    assert (card.input.mean, card.input.std) == ((0.0,), (1.0,))
    assert card.thresholds == CardThresholds(0.25, 0.5, 0.0, 0.5)
    assert card_from_dict(card.to_dict()) == card


@pytest.mark.parametrize(('task', 'thing'), [
    ('semantic', False), ('instance', True), ('panoptic', False),
])
def test_classes_are_things_by_default_where_the_task_is_instances(task, thing):
    card = card_from_dict({**MINIMAL, 'task': task})
    assert [item.thing for item in card.classes] == [thing, thing]
    said = card_from_dict({**with_class(thing=not thing), 'task': task})
    assert [item.thing for item in said.classes] == [thing, not thing]


def test_one_number_stands_for_all_channels():
    card = card_from_dict({**MINIMAL, 'input': {'mean': 0.5, 'std': 2}})
    assert (card.input.mean, card.input.std) == ((0.5,), (2.0,))


def test_three_hundred_classes_get_colors_that_all_differ():
    rows = [{'id': number, 'name': f'class {number}'} for number in range(300)]
    colors = {item.color for item in card_from_dict({'name': 'many', 'classes': rows}).classes}
    assert len(colors) == 300
    assert (0, 0, 0) not in colors
    assert all(0 <= level <= 255 for color in colors for level in color)


def test_colors_that_are_left_out_differ_from_those_given():
    taken = distinct_colors(5)
    rows = [{'id': number, 'name': f'class {number}'} for number in range(10)]
    rows[9]['color'] = list(taken[0])
    card = card_from_dict({'name': 'some', 'classes': rows})
    assert card.classes[9].color == taken[0]
    assert len({item.color for item in card.classes}) == 10


@pytest.mark.parametrize(('changes', 'named'), [
    ({'name': None, 'nam': 'town'}, 'nam'),
    ({'task': 'detection'}, 'task.*detection.*semantic, instance, panoptic'),
    ({'classes': []}, 'without classes'),
    ({'classes': None}, 'has no classes'),
    ({'classes': 6}, 'classes: 6; expected a list'),
    ({'classes': {0: 'road'}}, r"classes: \{0: 'road'\}; expected a list"),
    ({'classes': [None]}, r'classes\[0\]: None'),
    ({'classes': [{'id': 0}]}, 'class 0 has no name'),
    ({'classes': [{'name': 'road'}]}, 'class road has no id'),
    ({'classes': [{'id': 0, 'name': False}]}, 'class False: name: False.*quotes'),
    ({'task': ['semantic']}, r"task: \['semantic'\]; expected one of semantic"),
    ({'snap': False}, 'snap: False; expected one of none, whole_pixels$'),
    ({'licence': date(2024, 5, 1)}, 'licence: datetime.date.*put it in quotes'),
    ({'license': 'MIT'}, 'did you mean licence'),
    ({'name': ' '}, "name: ' '; expected text"),
    ({'outputs': ['y', 'y']}, r"outputs: \['y', 'y'\]; expected each name once"),
    ({'classes': [True]}, 'class True: name: True.*quotes'),
    ({'family': {}}, r'family: \{\}'),
    ({'scores': 'odds'}, 'scores.*odds.*logits, softmax, sigmoid, multilabel'),
    ({'outputs': 3}, 'outputs: 3'),
    ({'unlabelled_color': 'black'}, 'unlabelled_color.*black'),
    ({'input': [360, 480]}, r'input: \[360, 480\]'),
    ({'input': {'mean': '0.4, 0.5'}}, r'input.mean.*write numbers of a list as \[0.5'),
    ({'input': {'scale': '1/255'}}, 'input.scale.*1/255.*0.00392157'),
    ({'input': {'scale': 10**400}}, 'input.scale'),
    ({'thresholds': 0.5}, 'thresholds: 0.5'),
    ({'thresholds': {'score': 'high'}}, 'thresholds.score.*high'),
    ({'input': {'fit': 'squeeze'}}, 'input.fit.*squeeze.*letterbox'),
    ({'input': {'align': 'left'}}, 'input.align.*left'),
    ({'input': {'resample': 'cubic'}}, 'input.resample.*cubic'),
    ({'input': {'color': 'yuv'}}, 'input.color.*yuv'),
    ({'input': {'size': [640]}}, r'input.size: \[640\]'),
    ({'input': {'size': 640}}, 'input.size: 640'),
    ({'input': {'size': '480x360'}}, 'input.size'),
    ({'input': {'size': [640, -1]}}, r'input.size.*-1'),
    ({'input': {'size': [640.5, 640]}}, r'input.size.*640.5'),
    ({'input': {'pad': 256}}, 'input.pad.*256'),
    ({'input': {'pad': 'grey'}}, 'input.pad.*grey'),
    ({'input': {'pad': 1.5}}, r'input.pad.*1.5'),
    ({'input': {'mean': [1, 2]}}, r'input.mean.*3 for rgb'),
    ({'input': {'std': [1, 2, 3, 4]}}, r'input.std.*3 for rgb'),
    ({'input': {'color': 'gray', 'mean': [1, 2, 3]}}, r'input.mean.*1 for gray'),
    ({'input': {'std': [1, 0, 1]}}, r'input.std: 0.0.*above 0'),
    ({'input': {'std': -1}}, r'input.std: -1.0'),
    ({'input': {'std': float('nan')}}, r'input.std: nan'),
    ({'input': {'mean': [0, float('inf'), 0]}}, r'input.mean: inf'),
    ({'input': {'scale': 0}}, r'input.scale: 0.0.*above 0'),
    ({'input': {'scale': float('inf')}}, r'input.scale: inf'),
    ({'input': {'scale': '1e400'}}, r'input.scale: inf'),
    ({'input': {'size': [100000, 100000]}}, r'input.size.*up to 16384'),
    ({'input': {'scale': 'tiny'}}, 'tiny'),
    ({'input': {'zoom': 2}}, 'input.*zoom'),
    ({'thresholds': {'score': 1.5}}, r'thresholds.score.*1.5'),
    ({'thresholds': {'mask': -0.1}}, r'thresholds.mask.*-0.1'),
    ({'thresholds': {'iou': 'nan'}}, r'thresholds.iou.*nan'),
    ({'thresholds': {'visible': 2}}, r'thresholds.visible.*2'),
    ({'thresholds': {'sure': 0.5}}, 'thresholds.*sure'),
    ({'labels': []}, 'card.*labels'),
])
def test_a_card_that_contradicts_itself_is_refused_by_name(changes, named):
    with pytest.raises(CardError, match=f'(?s){named}'):
        card_from_dict({**MINIMAL, **changes})


@pytest.mark.parametrize(('changes', 'named'), [
    ({'id': 0}, r'share the id \[0\]'),
    ({'id': -1}, 'car.*-1'),
    ({'id': 65535}, 'car.*65535'),
    ({'id': 1.5}, 'car.*1.5'),
    ({'id': 'first'}, 'car.*first'),
    ({'name': 'road'}, r"share the name \['road'\]"),
    ({'id': True}, 'car.*True'),
    ({'color': [256, 0, 0]}, 'car: color.*256'),
    ({'color': [0.5, 0, 0]}, 'car: color.*0.5'),
    ({'color': [1, 2]}, r'car: color: \[1, 2\]'),
    ({'color': '#ff0000'}, 'car: color.*ff0000'),
    ({'color': None}, 'car: color is empty.*YAML takes # for a comment'),
    ({'name': ''}, "class '': name: ''; expected text"),
    ({'name': 'a\0'}, r"name: 'a\\x00'; expected text"),
    ({'name': '\ud800'}, r"name: '\\ud800'; expected text"),
    ({'name': 'road '}, r"share the name \['road'\]"),
    ({'roles': ['edible']}, r"car has roles \['edible'\].*traversable"),
    ({'roles': 5}, 'car: roles: 5'),
    ({'thing': 'no'}, 'car.*no'),
    ({'colour': [1, 2, 3]}, 'class car.*colour'),
])
def test_a_class_that_cannot_be_used_is_refused_by_name(changes, named):
    with pytest.raises(CardError, match=f'(?s){named}'):
        card_from_dict(with_class(**changes))


def test_two_classes_cannot_share_a_color():
    data = with_class(color=[9, 9, 9])
    data['classes'][0] = {**data['classes'][0], 'color': [9, 9, 9]}
    with pytest.raises(CardError, match=r'share the color \[\(9, 9, 9\)\]'):
        card_from_dict(data)


def test_a_card_without_a_name_is_refused():
    with pytest.raises(CardError, match='has no name'):
        card_from_dict({'classes': MINIMAL['classes']})


@pytest.mark.parametrize(('content', 'named'), [
    (b'name: [', 'YAML'),
    (b'\xff\xfe\xfa', 'UTF-8'),
    (b'a: 1\n\tb: 2\n', 'not YAML.*line 2'),
    (b'a: !!python/object/apply:os.system [ls]\n', 'not YAML'),
    (b'[' * 100_000, 'not YAML'),
    (b'- a\n- b\n', 'list'),
    (b'', 'holds nothing'),
    (b'name: town\n', 'has no classes'),
    (b'name: town\nclasses: [a]\nclasses: [b]\n', 'the key classes again in line 3'),
    (b'name: town\nclasses: [{id: 010, name: a}]\n', '010, which would be 8, in line 2'),
    (b'name: town\nclasses: [{id: 1:00, name: a}]\n', '1:00, which would be 60, in line 2'),
    (b'name: town\nclasses: [stra\xdfe]\n', 'not UTF-8 text in line 2'),
    (b'source: 2024-13-01\n', 'month must be in 1..12'),
])
def test_a_file_that_is_no_card_is_refused(tmp_path, content, named):
    path = tmp_path / 'card.yaml'
    path.write_bytes(content)
    with pytest.raises(CardError, match=named):
        read_card(path)


def test_a_missing_file_is_refused_by_its_path(tmp_path):
    with pytest.raises(CardError, match=r'absent\.yaml'):
        read_card(tmp_path / 'absent.yaml')


def test_one_word_is_a_list_of_one_and_words_are_the_names_of_classes():
    card = card_from_dict({
        'name': 'm', 'classes': ['floor', 'wall'], 'outputs': 'logits', 'scores': 'softmax',
    })
    assert [(item.id, item.name) for item in card.classes] == [(0, 'floor'), (1, 'wall')]
    assert (card.outputs, card.scores) == (('logits',), 'softmax')
    assert card_from_dict(with_class(roles='dynamic')).classes[-1].roles == ('dynamic',)


def test_a_black_background_is_a_class_like_any_other():
    card = card_from_dict({**with_class(color=[0, 0, 0]), 'unlabelled_color': [224, 224, 192]})
    assert card.classes[-1].color == (0, 0, 0)
    assert card.unlabelled_color == (224, 224, 192)
    assert card_from_dict(card.to_dict()) == card


def test_a_card_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / 'card.yaml'
    path.write_bytes(b'\xef\xbb\xbfname: m\nclasses: [a]\n')
    assert read_card(path).name == 'm'


def test_keys_that_an_anchor_brings_may_be_given_anew(tmp_path):
    path = tmp_path / 'card.yaml'
    path.write_text(
        'name: m\nclasses:\n- &first {id: 0, name: a, roles: [dynamic]}\n'
        '- {<<: *first, id: 1, name: b}\n', encoding='utf-8'
    )
    assert [(item.id, item.name, item.roles) for item in read_card(path).classes] == [
        (0, 'a', ('dynamic',)), (1, 'b', ('dynamic',))
    ]


def test_what_is_quoted_in_an_error_is_short_however_much_an_alias_stands_for():
    bomb = ['x'] * 9
    for _ in range(30):
        bomb = [bomb] * 9
    for data in ({'name': bomb}, {'task': bomb}, {'classes': bomb}, {'classes': [{'name': bomb}]},
                 {'outputs': [bomb]}, {'classes': [{'id': bomb, 'name': 'a'}]},
                 {'input': {'size': bomb, 'mean': bomb}}, {'unlabelled_color': bomb}):
        with pytest.raises(CardError) as caught:
            card_from_dict({**MINIMAL, **data})
        assert len(str(caught.value)) < 300


def test_the_few_words_that_keys_allow_may_be_written_large():
    card = card_from_dict({
        **with_class(roles=['Dynamic']), 'task': 'Panoptic', 'scores': 'Softmax',
        'input': {'color': 'BGR', 'fit': 'Stretch'},
    })
    assert (card.task, card.scores) == ('panoptic', 'softmax')
    assert (card.input.color, card.input.fit) == ('bgr', 'stretch')
    assert card.classes[-1].roles == ('dynamic',)


def test_numbers_and_broken_lines_are_names_of_classes_too():
    card = card_from_dict({'name': 'digits', 'classes': [0, 1, 'traffic\n  light']})
    assert [item.name for item in card.classes] == ['0', '1', 'traffic light']
