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

"""The trunk ends with the network's last weights; names choose what stays out of it."""

from conv_networks import conv_compiled
import pytest
from seg_ros.compile.trunk import trunk_nodes, weighted_nodes
from seg_ros.core.errors import SettingError


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return conv_compiled(tmp_path_factory.mktemp('trunk')).model


def names(nodes):
    return {node.name.removeprefix('network/') for node in nodes}


def test_the_trunk_ends_with_the_last_weights(model):
    trunk = {'stem', 'relu', 'deep', 'gate', 'silu', 'sum', 'join', 'last'}
    assert names(trunk_nodes(model)) == trunk
    assert all(node.name.startswith('network/') for node in trunk_nodes(model))


def test_what_comes_before_weights_ends_at_the_last_of_them(model):
    weighted, feeding = weighted_nodes(model)
    assert {name.removeprefix('network/') for name in weighted} == {'stem', 'deep', 'last'}
    assert 'network/last' not in feeding
    assert {'network/stem', 'network/deep', 'network/join'} <= feeding


@pytest.mark.parametrize('pattern', ['dee*', 'network/deep', 'd??p'])
def test_a_pattern_keeps_nodes_out_of_it(model, pattern):
    assert 'deep' not in names(trunk_nodes(model, [pattern]))
    assert 'stem' in names(trunk_nodes(model, [pattern]))


def test_a_pattern_that_fits_nothing_is_refused(model):
    with pytest.raises(SettingError, match='no_such'):
        trunk_nodes(model, ['stem', 'no_such*'])
