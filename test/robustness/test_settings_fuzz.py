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

"""Whatever a parameter, a card or a file of parameters holds, it is taken or one clear error."""

from dataclasses import fields
from pathlib import Path
import tempfile

from fuzz import fuzz, unless
from hypothesis import strategies as st
from inputs import damaged, scalars, values
from seg_ros.core.card import CardThresholds, ClassInfo, InputSpec, ModelCard
from seg_ros.core.card_reading import card_from_dict, read_card
from seg_ros.core.errors import CardError, SettingError
from seg_ros.core.settings import Settings
from seg_ros.params_file import parameters_for

NAMES = [item.name for item in fields(Settings)]


def keys_of(kind: type, inner: st.SearchStrategy) -> st.SearchStrategy:
    """Give some of the keys that something has, with any values, now and then another key."""
    names = [item.name for item in fields(kind)]
    keys = st.one_of(st.sampled_from(names), st.text(max_size=5))
    return st.dictionaries(keys, inner, max_size=6)


cards = st.builds(
    lambda card, classes, spec, thresholds: {
        'name': 'n', 'task': 'semantic', 'classes': [{'id': 0, 'name': 'a'}], **card, **classes,
        **spec, **thresholds,
    },
    keys_of(ModelCard, values),
    st.one_of(st.just({}), st.fixed_dictionaries(
        {'classes': st.lists(keys_of(ClassInfo, values), max_size=3)}
    )),
    st.one_of(st.just({}), st.fixed_dictionaries({'input': keys_of(InputSpec, values)})),
    st.one_of(st.just({}), st.fixed_dictionaries({'thresholds': keys_of(CardThresholds, values)})),
)


def test_any_value_of_a_setting_is_taken_or_a_setting_error() -> None:
    def check(given):
        unless(SettingError, lambda: Settings(**given))

    several = st.one_of(scalars, st.lists(scalars, max_size=3).map(tuple), values)
    fuzz(st.dictionaries(st.sampled_from(NAMES), several, min_size=1, max_size=3), check)


def test_any_card_is_taken_or_a_card_error() -> None:
    def check(data):
        unless(CardError, lambda: card_from_dict(data))

    fuzz(cards, check)


CARD = b'name: a\ntask: semantic\ninput: {size: [4, 4]}\nclasses:\n  - {id: 0, name: x}\n'
PARAMETERS = b'/**:\n  ros__parameters:\n    cameras: [a, b]\n    max_age_ms: 3.0\n'


def test_any_text_is_a_card_or_a_card_error() -> None:
    with tempfile.TemporaryDirectory() as folder:
        def check(text):
            path = Path(folder, 'card.yaml')
            path.write_bytes(text)
            unless(CardError, lambda: read_card(path))

        text = st.text().map(lambda words: words.encode(errors='replace'))
        fuzz(st.one_of(damaged(st.just(CARD)), st.binary(), text), check)


def test_any_text_is_a_file_of_parameters_or_a_setting_error() -> None:
    with tempfile.TemporaryDirectory() as folder:
        def check(text):
            path = Path(folder, 'params.yaml')
            path.write_bytes(text)
            unless(SettingError, lambda: parameters_for(path, '/robot/segmentation'))

        text = st.text().map(lambda words: words.encode(errors='replace'))
        fuzz(st.one_of(damaged(st.just(PARAMETERS)), st.binary(), text), check)
