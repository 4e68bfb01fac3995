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

"""Outputs carry the tensors of the table and refuse all others."""

import numpy as np
import pytest
from seg_ros.core.errors import ContractError
from seg_ros.core.tensors import Outputs, outputs_from_tensors, TENSORS


def random_tensors(count=2):
    rng = np.random.default_rng(0)
    return {
        name: rng.integers(0, 9, (count, 4, 5, 6)[:rank]).astype(kinds[0])
        for name, (rank, kinds) in TENSORS.items()
    }


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
