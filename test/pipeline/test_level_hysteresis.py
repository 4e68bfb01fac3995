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

from seg_ros.pipeline.camera_health import Level, Verdict
from seg_ros.pipeline.level_hysteresis import CALM_S, LevelHysteresis

OK, WARN, ERROR = Level


def test_trouble_is_reported_at_once_and_until_it_has_been_calm_for_a_while():
    now = [100.0]
    hysteresis = LevelHysteresis(lambda: now[0])
    assert hysteresis.update(Verdict(OK, 'active')) == Verdict(OK, 'active')
    assert hysteresis.update(Verdict(WARN, 'silent')) == Verdict(WARN, 'silent')
    now[0] += CALM_S - 0.1
    assert hysteresis.update(Verdict(OK, 'active')) == Verdict(WARN, 'silent')
    now[0] += 0.1
    assert hysteresis.update(Verdict(OK, 'active')) == Verdict(OK, 'active')


def test_trouble_that_returns_begins_the_while_anew():
    now = [0.0]
    hysteresis = LevelHysteresis(lambda: now[0])
    hysteresis.update(Verdict(ERROR, 'lost'))
    now[0] = CALM_S - 1
    hysteresis.update(Verdict(ERROR, 'lost again'))
    now[0] = CALM_S + 1
    assert hysteresis.update(Verdict(WARN, 'slow')) == Verdict(ERROR, 'lost again')
    now[0] = 2 * CALM_S
    assert hysteresis.update(Verdict(WARN, 'slow')) == Verdict(WARN, 'slow')


def test_words_of_the_same_level_change_at_once():
    hysteresis = LevelHysteresis(lambda: 0.0)
    hysteresis.update(Verdict(OK, 'active'))
    assert hysteresis.update(Verdict(OK, 'its masks have no subscriber')) == Verdict(
        OK, 'its masks have no subscriber'
    )
