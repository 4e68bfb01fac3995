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

"""An engine chooses among what the file has, by the settings, and asks for no more."""

from dataclasses import replace

import pytest
from seg_ros.core.errors import SettingError
from seg_ros.core.output_choice import CANDIDATES, choose_outputs
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature

SEMANTIC = ModelSignature(
    (48, 64),
    ('logits', 'labels', 'confidence', 'labels_network_size', 'confidence_network_size',
     'labels_60x50', 'confidence_60x50'),
    source_sizes=((50, 60),),
)
INSTANCE = ModelSignature((48, 64), ('boxes', 'scores', 'classes', 'masks', *CANDIDATES))


def chosen(signature: ModelSignature, on_host: bool = False, **settings: str) -> dict[str, str]:
    return dict(choose_outputs(signature, Settings(**settings), 'edges', on_host).names)


def test_edges_take_scores_and_labels_of_their_size() -> None:
    expected = {'logits': 'logits', 'labels': 'labels', 'confidence': 'confidence'}
    assert chosen(SEMANTIC) == chosen(SEMANTIC, upsample='edges') == expected


def test_nearest_takes_labels_alone() -> None:
    assert chosen(SEMANTIC, upsample='nearest') == {'labels': 'labels', 'confidence': 'confidence'}


def test_the_graph_gives_labels_of_the_network_size_by_their_usual_names() -> None:
    assert chosen(SEMANTIC, upsample='graph') == {
        'labels_network_size': 'labels', 'confidence_network_size': 'confidence',
    }


def test_the_graph_gives_labels_of_the_source_size_and_is_good_for_that_size_alone() -> None:
    choice = choose_outputs(SEMANTIC, Settings(source_size='60x50'), 'graph')
    assert dict(choice.names) == {'labels_60x50': 'labels', 'confidence_60x50': 'confidence'}
    assert (choice.upsample, choice.signature.source_hw) == ('graph', (50, 60))
    assert choice.notes == ()


def test_a_source_size_changes_nothing_where_the_graph_enlarges_nothing() -> None:
    choice = choose_outputs(SEMANTIC, Settings(source_size='9x9', upsample='edges'), 'graph')
    assert (choice.upsample, choice.signature.source_hw) == ('edges', None)
    assert choice.notes == ('source_size: 9x9 has no effect: upsample is edges, not graph',)


def test_a_source_size_changes_nothing_where_there_are_no_scores() -> None:
    (note,) = choose_outputs(INSTANCE, Settings(source_size='9x9'), 'graph').notes
    assert note == 'source_size: 9x9 has no effect: the model has no class scores to enlarge'


def test_a_source_size_that_the_file_lacks_is_refused_with_what_to_do() -> None:
    with pytest.raises(SettingError, match='expected 60x50; compile it with --source-size 9x8'):
        choose_outputs(SEMANTIC, Settings(source_size='9x8'), 'graph')
    bare = replace(SEMANTIC, source_sizes=())
    with pytest.raises(SettingError, match='expected an empty source_size'):
        choose_outputs(bare, Settings(source_size='60x50'), 'graph')


def test_scores_of_the_networks_size_have_their_labels_under_one_name() -> None:
    whole = replace(SEMANTIC, tensors=('logits', 'labels', 'confidence'))
    assert chosen(whole, upsample='graph') == {'labels': 'labels', 'confidence': 'confidence'}


@pytest.mark.parametrize('upsample', ['edges', 'nearest', 'graph'])
def test_a_file_of_labels_alone_gives_them_whatever_is_asked(upsample: str) -> None:
    assert chosen(replace(SEMANTIC, tensors=('labels',)), upsample=upsample) == {
        'labels': 'labels'
    }


def test_a_host_that_mixes_masks_gets_candidates_and_others_get_masks() -> None:
    assert list(chosen(INSTANCE, on_host=True)) == list(CANDIDATES)
    assert list(chosen(INSTANCE)) == ['boxes', 'scores', 'classes', 'masks']
    masks_alone = replace(INSTANCE, tensors=INSTANCE.tensors[:4])
    assert list(chosen(masks_alone, on_host=True)) == ['boxes', 'scores', 'classes', 'masks']
    assert choose_outputs(INSTANCE, Settings(), 'edges', True).on_host
    assert not choose_outputs(masks_alone, Settings(), 'edges', True).on_host
