"""A contract survives its metadata and refuses tensors that it does not know."""

import json

import numpy as np
import pytest
from seg_ros.core.engine_contract import (
    ModelSignature,
    Outputs,
    outputs_from_tensors,
    signature_from_dict,
    TENSORS,
)
from seg_ros.core.errors import ContractError, ModelError

FULL = ModelSignature(
    (48, 64), ('boxes', 'scores', 'classes', 'masks'), channels=1, max_batch=4,
    upsampling='align_corners', score_floor=0.05, iou=0.45, top_k=300, max_instances=100,
    mask_frame='box', mask_code='logit16',
)


def random_tensors(count=2):
    rng = np.random.default_rng(0)
    return {
        name: rng.integers(0, 9, (count, 4, 5, 6)[:rank]).astype(kinds[0])
        for name, (rank, kinds) in TENSORS.items()
    }


@pytest.mark.parametrize('signature', [FULL, ModelSignature((1, 2), ())])
def test_a_contract_survives_json(signature):
    assert signature_from_dict(json.loads(json.dumps(signature.to_dict()))) == signature


@pytest.mark.parametrize('change', [
    {'size_hw': 5}, {'size_hw': None}, {'tensors': None}, {'a_later_key': 1},
])
def test_metadata_of_another_version_asks_for_another_compilation(change):
    with pytest.raises(ModelError, match='compile it again'):
        signature_from_dict({**FULL.to_dict(), **change})


def test_metadata_without_a_size_asks_for_another_compilation():
    data = FULL.to_dict()
    del data['size_hw']
    with pytest.raises(ModelError, match='size_hw'):
        signature_from_dict(data)


@pytest.mark.parametrize('code', ['probability', 'logit16'])
@pytest.mark.parametrize('threshold', [0.02, 0.1, 0.25, 0.5, 0.7, 0.9, 0.98])
def test_bytes_above_the_mask_level_are_those_above_the_probability(code, threshold):
    level = ModelSignature((1, 1), (), mask_code=code).mask_level(threshold)
    byte = np.arange(1, 255)  # 0 and 255 also stand for all that was clipped
    decoded = byte / 255 if code == 'probability' else 1 / (1 + np.exp(-(byte - 128) / 16))
    np.testing.assert_array_equal(byte > level, decoded > threshold)


@pytest.mark.parametrize('code', ['probability', 'logit16'])
def test_extreme_mask_thresholds_stay_within_a_byte(code):
    signature = ModelSignature((1, 1), (), mask_code=code)
    assert signature.mask_level(0.0) == 0
    assert signature.mask_level(1.0) == 255


def test_a_batch_of_the_right_shape_passes():
    FULL.check_batch(np.zeros((4, 48, 64, 1), np.uint8))
    ModelSignature((2, 3), (), max_batch=0).check_batch(np.zeros((99, 2, 3, 3), np.uint8))


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
        FULL.check_batch(np.zeros(shape, kind))
    assert str(shape) in str(caught.value)
    assert '48, 64, 1' in str(caught.value)


def test_every_tensor_of_the_table_is_taken_by_its_name():
    tensors = random_tensors()
    outputs = outputs_from_tensors(tensors, 2)
    assert list(outputs.present()) == list(TENSORS)
    for name, array in tensors.items():
        assert getattr(outputs, name) is array


@pytest.mark.parametrize('name', TENSORS)
def test_the_second_type_of_a_tensor_is_taken_too(name):
    rank, kinds = TENSORS[name]
    outputs_from_tensors({name: np.zeros((1, 2, 3, 4)[:rank], kinds[-1])}, 1)


@pytest.mark.parametrize('name', TENSORS)
def test_a_tensor_of_another_type_rank_or_batch_is_refused_by_its_name(name):
    good = random_tensors()[name]
    for bad in (good.astype(np.float64), good[0], good[:1]):
        with pytest.raises(ContractError, match=f'^{name} of type'):
            outputs_from_tensors({name: bad}, 2)


def test_an_output_that_the_table_lacks_is_refused():
    with pytest.raises(ContractError, match='depths'):
        outputs_from_tensors({'depths': np.zeros((1, 2, 2))}, 1)


def test_one_image_of_a_batch_keeps_what_is_present_and_drops_the_batch_axis():
    tensors = random_tensors()
    del tensors['logits']
    image = outputs_from_tensors(tensors, 2).image(1)
    assert image.logits is None
    for name, array in tensors.items():
        np.testing.assert_array_equal(getattr(image, name), array[1])
    assert Outputs().present() == {}


def test_a_tensor_that_is_absent_is_missed_by_its_name():
    outputs = outputs_from_tensors(random_tensors(), 2)
    assert outputs.tensor('masks') is outputs.masks
    with pytest.raises(ContractError, match=r'labels alone; expected boxes too'):
        Outputs(labels=outputs.labels).tensor('boxes')
