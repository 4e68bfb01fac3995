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

"""Prototype masks computed on the host equal those of the graph."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import onnx
import pytest
from seg_ros.bench.networks import instance_model
from seg_ros.compile.run_onnx import run_onnx
from seg_ros.core.output_choice import CANDIDATES
from seg_ros.core.settings import Settings
from seg_ros.core.signature import MaskCode, ModelSignature
from seg_ros.engines import open_engine
from seg_ros.engines.prototype_masks import detections_from_candidates

F32 = {'inference_precision': 'f32', 'threads': 1}


@pytest.fixture(scope='module')
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return instance_model(tmp_path_factory.mktemp('prototypes'), 12)[1]


@pytest.mark.parametrize('engine', ['openvino', 'onnxruntime'])
def test_detections_equal_those_of_the_whole_graph(model: Path, engine: str) -> None:
    pytest.importorskip(engine, reason=f'{engine} is not installed')
    batch = np.full((1, 640, 640, 3), 90, np.uint8)
    whole = run_onnx(onnx.load(model))({'image': batch})
    opened = open_engine(Settings(model=str(model), engine=engine, **F32))
    outputs = opened.submit(batch).result()
    opened.close()
    assert outputs.present().keys() == {'boxes', 'scores', 'classes', 'masks'}
    for name in ('boxes', 'scores', 'classes'):
        np.testing.assert_allclose(outputs.tensor(name), whole[name], rtol=1e-5, atol=1e-5)
    masks = outputs.tensor('masks')
    assert masks.shape == whole['masks'].shape
    filled = np.flatnonzero(whole['scores'][0] > 0)
    assert len(filled) == 12
    for slot in filled:
        x0, y0, x1, y1 = (whole['boxes'][0, slot] / 4).astype(int)
        inside = np.s_[0, slot, max(0, y0 - 1):y1 + 2, max(0, x0 - 1):x1 + 2]
        expected, seen = whole['masks'][inside].astype(int), masks[inside].astype(int)
        assert expected.any()
        assert np.abs(expected - seen).max() <= 1   # summed in another order


SIGNATURE = ModelSignature(
    (16, 16), CANDIDATES, score_floor=0.1, iou=0.5, top_k=3, max_instances=2
)


def candidates(scores: list[float]) -> dict[str, NDArray[np.generic]]:
    random = np.random.default_rng(0)
    count = len(scores)
    boxes = np.tile(np.array([0, 0, 16, 16], np.float32), (count, 1))
    return {
        'candidate_boxes': boxes[None],
        'candidate_scores': np.array([scores], np.float32),
        'candidate_classes': np.arange(count, dtype=np.int32)[None],
        'candidate_coefficients': random.normal(0, 9, (1, count, 3)).astype(np.float32),
        'prototypes': random.normal(0, 9, (1, 3, 4, 4)).astype(np.float32),
    }


def test_a_probability_is_coded_as_in_the_graph() -> None:
    tensors = candidates([0.9, 0.05, 0])
    found = detections_from_candidates(tensors, SIGNATURE)
    logits = np.einsum(
        'p,pyx->yx', tensors['candidate_coefficients'][0, 0].astype(float),
        tensors['prototypes'][0].astype(float),
    )
    masks = found['masks']
    assert masks.shape == (1, 2, 4, 4)
    assert np.abs(masks[0, 0] - 255 / (1 + np.exp(-logits))).max() <= 0.51
    assert not masks[0, 1].any()


@pytest.mark.parametrize(('code', 'steps'), [('logit16', 16), ('logit4', 4)])
def test_a_logit_is_coded_in_the_steps_of_the_file(code: MaskCode, steps: int) -> None:
    tensors = candidates([0.9])
    tensors['candidate_coefficients'] /= 9     # logits within the range of either code
    found = detections_from_candidates(tensors, replace(SIGNATURE, mask_code=code))
    logits = np.einsum(
        'p,pyx->yx', tensors['candidate_coefficients'][0, 0].astype(float),
        tensors['prototypes'][0].astype(float),
    )
    expected = np.clip(128 + steps * logits, 0, 255)
    assert np.abs(found['masks'][0, 0] - expected).max() <= 0.51


def test_slots_are_filled_best_first_and_the_floor_keeps_the_weak_out() -> None:
    tensors = candidates([0.3, 0.09, 0.8, 0.5])
    found = detections_from_candidates(tensors, SIGNATURE)
    np.testing.assert_allclose(found['scores'], [[0.8, 0.5]])
    np.testing.assert_array_equal(found['classes'], [[2, 3]])
    empty = detections_from_candidates(candidates([0.09, 0, 0]), SIGNATURE)
    assert not any(array.any() for array in empty.values())
