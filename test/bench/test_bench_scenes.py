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

from functools import partial

import numpy as np
import pytest
from seg_ros.bench.networks import instance_model, raw_runner, street_model
from seg_ros.bench.peer_steps import plain_node
from seg_ros.bench.scenes import street_classes, street_scores, yolo_rows
from seg_ros.core.frame import Frame
from seg_ros.core.settings import Settings
from seg_ros.engines import open_engine
from seg_ros.pipeline.process import segment as masks_of_frame
from seg_ros.pipeline.serving_model import ServingModel

pytest.importorskip('openvino', reason='OpenVINO is not installed')
IMAGE = np.full((720, 1280, 3), 90, np.uint8)


def segment(model):
    settings = Settings(model=str(model), engine='openvino', threads=1)
    segmenter = ServingModel(open_engine(settings), settings)
    try:
        return masks_of_frame(Frame(IMAGE, 'rgb'), segmenter)
    finally:
        segmenter.close()


def test_the_street_has_at_least_eight_classes_and_its_scores_say_so():
    classes = street_classes()
    assert len(np.unique(classes)) >= 8
    said = street_scores()['scores'][0].argmax(axis=0)
    assert (said == classes).mean() > 0.9


def test_a_street_model_paints_the_street(tmp_path):
    _, model = street_model(tmp_path)
    masks = segment(model)
    assert len(np.unique(masks.classes)) >= 8


@pytest.mark.parametrize('objects', [30, 100])
def test_a_scene_of_objects_is_found_whole_by_us_and_by_the_plain_node(tmp_path, objects):
    _, model = instance_model(tmp_path, objects)
    masks = segment(model)
    plain = plain_node(IMAGE, yolo_rows(objects))
    ours = masks.instances
    assert len(masks.segments) == objects
    assert len(np.unique(plain)) == objects + 1
    assert ((ours > 0) == (plain > 0)).mean() > 0.98


def test_convolutions_cost_time_and_change_no_answer(tmp_path):
    answers = [
        partial(raw_runner(street_model(tmp_path, depth)[0], 1))() for depth in (0, 3)
    ]
    first, second = (next(iter(answer.values())) for answer in answers)
    np.testing.assert_array_equal(first, second)
