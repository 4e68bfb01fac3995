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

"""The photographs of the demo."""

import json

import cv2
import numpy as np
from seg_ros.commands.evaluation.demo_photographs import PHOTOGRAPHS, score_photographs


def test_the_photographs_are_credited_and_not_those_that_the_network_was_trained_with():
    rows = json.loads((PHOTOGRAPHS / 'index.json').read_text())
    credited = json.loads((PHOTOGRAPHS.parents[1] / 'models/credits.json').read_text())
    shaped = {item['name'] for item in credited['photographs'] if item['use'] == 'weights'}
    assert len(rows) >= 5
    for row in rows:
        assert row['license'].startswith('CC BY')
        assert row['name'] not in shaped


def test_a_perfect_model_is_not_needed_to_score_them(tmp_path):
    figures = score_photographs('default', tmp_path)
    assert figures['images'] == len(json.loads((PHOTOGRAPHS / 'index.json').read_text()))
    assert 0 < figures['miou'] < 1
    assert figures['person_there'] > 5
    assert figures['object_found'] <= figures['object_there']
    sheet = cv2.imread(str(tmp_path / 'photographs.png'))
    assert sheet.shape[1] == 3 * 480
    assert np.ptp(sheet) > 200
