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

"""A signature survives its metadata and refuses batches that it does not promise."""

import json

import numpy as np
import pytest
from seg_ros.core.errors import ContractError, ModelError
from seg_ros.core.signature import ModelSignature, signature_from_dict
from seg_ros.core.tensors import check_batch

FULL = ModelSignature(
    (48, 64), ('boxes', 'scores', 'classes', 'masks'), channels=1, max_batch=4,
    upsampling='align_corners', score_floor=0.05, iou=0.45, top_k=300, max_instances=100,
    mask_frame='box', mask_code='logit16',
)


@pytest.mark.parametrize('signature', [FULL, ModelSignature((1, 2), ())])
def test_a_contract_survives_json(signature):
    assert signature_from_dict(json.loads(json.dumps(signature.to_dict()))) == signature


@pytest.mark.parametrize('change', [
    {'size_hw': 5}, {'size_hw': None}, {'tensors': None}, {'a_later_key': 1},
    {'size_hw': [0, 64]}, {'size_hw': [48, 0]}, {'size_hw': [48, 64.0]}, {'size_hw': [48, 10**6]},
    {'max_batch': 1.5}, {'max_batch': -1}, {'score_floor': 2.0}, {'score_floor': 'low'},
    {'upsampling': 'sideways'}, {'precision': 16},
])
def test_metadata_of_another_version_asks_for_another_compilation(change):
    with pytest.raises(ModelError, match='compile it again'):
        signature_from_dict({**FULL.to_dict(), **change})


def test_metadata_without_a_size_asks_for_another_compilation():
    data = FULL.to_dict()
    del data['size_hw']
    with pytest.raises(ModelError, match='size_hw'):
        signature_from_dict(data)


@pytest.mark.parametrize('code', ['probability', 'logit16', 'logit4'])
@pytest.mark.parametrize('threshold', [0.02, 0.1, 0.25, 0.5, 0.7, 0.9, 0.98])
def test_bytes_above_the_mask_level_are_those_above_the_probability(code, threshold):
    level = ModelSignature((1, 1), (), mask_code=code).mask_level(threshold)
    byte = np.arange(1, 255)  # 0 and 255 also stand for all that was clipped
    decoded = byte / 255 if code == 'probability' else (
        1 / (1 + np.exp(-(byte - 128) / int(code[5:])))
    )
    np.testing.assert_array_equal(byte > level, decoded > threshold)


@pytest.mark.parametrize(('code', 'least'), [
    ('probability', 0), ('logit16', 0), ('logit4', 128 + 4 * np.log(1e-8)),
])
def test_extreme_mask_thresholds_stay_within_a_byte(code, least):
    signature = ModelSignature((1, 1), (), mask_code=code)
    assert signature.mask_level(0.0) == pytest.approx(least)
    assert signature.mask_level(1.0) == 255


def test_a_batch_of_the_right_shape_passes():
    check_batch(np.zeros((4, 48, 64, 1), np.uint8), FULL)
    check_batch(np.zeros((99, 2, 3, 3), np.uint8), ModelSignature((2, 3), (), max_batch=0))


@pytest.mark.parametrize(('shape', 'kind'), [
    ((1, 48, 64, 1), np.float32),
    ((1, 64, 48, 1), np.uint8),
    ((1, 48, 64, 3), np.uint8),
    ((1, 48, 64), np.uint8),
    ((48, 64, 1), np.uint8),
    ((0, 48, 64, 1), np.uint8),
    ((5, 48, 64, 1), np.uint8),
])
def test_a_batch_of_another_shape_or_type_is_refused(shape, kind):
    with pytest.raises(ContractError) as caught:
        check_batch(np.zeros(shape, kind), FULL)
    assert str(shape) in str(caught.value)
    assert '48, 64, 1' in str(caught.value)
