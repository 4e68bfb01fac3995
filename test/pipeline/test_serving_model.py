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

"""Settings that do not suit a model are refused before and after its engine is opened."""

from fakes.promptable_network import CARD, saved_promptable
import pytest
from seg_ros.core.engine import EngineFacts
from seg_ros.core.errors import CardError, SettingError
from seg_ros.core.prompts import Prompt
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature
from seg_ros.pipeline.serving_model import check_model, open_serving_model, ServingModel

UNSUITED = [
    ({'classes': ('sky',)}, CardError, 'sky'), ({'target': 'sky'}, SettingError, 'sky'),
    ({'prompts': ('sky 1 2',)}, SettingError, 'sky'),
]


class Promptable:
    def __init__(self):
        self.card, self.facts = CARD, EngineFacts('fake', 'CPU', 'u8')
        self.signature = ModelSignature((48, 64), ('masks',), max_prompts=2)
        self.closed = 0

    def close(self):
        self.closed += 1


@pytest.mark.parametrize(('settings', 'kind', 'words'), UNSUITED)
def test_what_does_not_suit_a_file_is_refused_by_its_metadata(tmp_path, settings, kind, words):
    path = str(saved_promptable(tmp_path))
    check_model(Settings(model=path))
    unsuited = Settings(model=path, **settings)
    with pytest.raises(kind, match=words):
        check_model(unsuited)


def test_a_classical_method_has_no_file_to_check():
    check_model(Settings(model='kmeans', classes=('sky',)))


@pytest.mark.parametrize(('settings', 'kind', 'words'), UNSUITED)
def test_an_engine_is_closed_again_where_the_settings_do_not_suit_it(
    monkeypatch, settings, kind, words
):
    engine = Promptable()
    monkeypatch.setattr(
        'seg_ros.pipeline.serving_model.open_engine', lambda settings, report, cancelled: engine
    )
    unsuited = Settings(**settings)
    with pytest.raises(kind, match=words):
        open_serving_model(unsuited)
    assert engine.closed == 1
    assert open_serving_model(Settings()).engine is engine
    assert engine.closed == 1


def test_prompts_change_with_the_settings_and_stay_where_new_ones_are_refused():
    serving = ServingModel(Promptable(), Settings(prompts=('cup 1 2',)))
    assert serving.prompts == (Prompt(1, (1, 2, 1, 2), 'cup'),)
    serving.change(Settings(prompts=('3 4', '5 6')))
    assert [prompt.xyxy for prompt in serving.prompts] == [(3, 4, 3, 4), (5, 6, 5, 6)]
    unsuited = Settings(prompts=('sky 1 2',))
    with pytest.raises(SettingError, match='sky'):
        serving.change(unsuited)
    assert len(serving.prompts) == 2
