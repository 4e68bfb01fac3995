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

from hashlib import sha256

import numpy as np
from onnx import helper, numpy_helper, save
import pytest
from seg_ros.compile.onnx_file import read_onnx
from seg_ros.core.errors import ModelError
from tiny_networks import model_of, saved


def small_model():
    return model_of(
        [helper.make_node('Mul', ['x', 'weight'], ['y'])], [('x', 1, [1, 3, 4, 4])], ['y'],
        {'weight': np.arange(48, dtype=np.float32).reshape(1, 3, 4, 4)},
    )


def test_a_file_is_read_with_its_digest(tmp_path):
    path = saved(small_model(), tmp_path)
    model, digest = read_onnx(path)
    assert model == small_model()
    assert digest == sha256(path.read_bytes()).hexdigest()


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r'none.onnx cannot be read .No such file'):
        read_onnx(tmp_path / 'none.onnx')


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r'is a folder.*tf2onnx'):
        read_onnx(tmp_path)


@pytest.mark.parametrize('share', [0.1, 0.5, 0.95])
def test_a_truncated_file_is_refused(share, tmp_path):
    data = small_model().SerializeToString()
    path = tmp_path / 'short.onnx'
    path.write_bytes(data[:int(share * len(data))])
    with pytest.raises(ModelError, match=r'short.onnx (is truncated|holds no graph)'):
        read_onnx(path)


@pytest.mark.parametrize('data', [b'', b'name: not a network\n', bytes(range(256))])
def test_a_file_of_another_kind_is_refused(data, tmp_path):
    path = tmp_path / 'other.onnx'
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r'other.onnx'):
        read_onnx(path)


def save_with_weights_apart(folder):
    path = folder / 'apart.onnx'
    save(
        small_model(), path, save_as_external_data=True, location='weights.bin', size_threshold=0
    )
    return path


def test_weights_beside_the_file_are_read(tmp_path):
    model, _ = read_onnx(save_with_weights_apart(tmp_path))
    (weight,) = model.graph.initializer
    np.testing.assert_array_equal(
        numpy_helper.to_array(weight), numpy_helper.to_array(small_model().graph.initializer[0])
    )
    assert not weight.external_data


def test_a_file_without_its_weights_is_refused(tmp_path):
    path = save_with_weights_apart(tmp_path)
    (tmp_path / 'weights.bin').unlink()
    message = f'weights in weights.bin, which is missing; expected that file.* in {tmp_path}'
    with pytest.raises(ModelError, match=message):
        read_onnx(path)


def test_weights_behind_a_link_are_refused_with_what_copies_them(tmp_path):
    path = save_with_weights_apart(tmp_path)
    (tmp_path / 'weights.bin').rename(tmp_path / 'blob')
    (tmp_path / 'weights.bin').symlink_to(tmp_path / 'blob')
    with pytest.raises(ModelError, match=r'weights.bin, which is a symbolic link.*cp -L'):
        read_onnx(path)


def test_weights_that_are_cut_short_are_refused(tmp_path):
    path = save_with_weights_apart(tmp_path)
    (tmp_path / 'weights.bin').write_bytes(b'short')
    with pytest.raises(ModelError, match=r'weights of apart.onnx lie in another file.*copy both'):
        read_onnx(path)
