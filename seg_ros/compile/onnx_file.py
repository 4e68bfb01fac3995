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

"""Reads an ONNX file with its weights, or rejects it with a reason."""

from hashlib import sha256
from math import prod
from pathlib import Path

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
import onnx
from onnx import helper, TensorProto
from onnx.external_data_helper import load_external_data_for_model
from seg_ros.core.errors import ModelError
from seg_ros.core.foreign_file import refuse_foreign
from seg_ros.core.onnx_metadata import LARGEST_FILE
from seg_ros.core.whole_file import open_plain


def read_onnx(path: Path) -> tuple[onnx.ModelProto, str]:
    """
    Read a model with all its weights.

    External weight files are read from the model's folder.

    :returns: the model, and the SHA-256 of the file as hexadecimal digits.
    :raises ModelError: if the file or its weights are missing or truncated, or it is not ONNX.
    """
    data = _read_bytes(path)
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ModelError(
            f'{path.name} is truncated or not an ONNX file', 'a whole ONNX file',
            'copy or export it again',
        ) from error
    if not model.graph.node or not model.graph.output:
        raise ModelError(f'{path.name} holds no graph', 'an ONNX file', 'export it again')
    _refuse_larger(len(data) + sum(map(_external_bytes, model.graph.initializer)), path)
    try:
        load_external_data_for_model(model, str(path.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise _unread_weights(model, path, error) from error
    return model, sha256(data).hexdigest()


def _read_bytes(path: Path) -> bytes:
    try:
        with open_plain(path) as stream:
            refuse_foreign(stream, path)
            _refuse_larger(path.stat().st_size, path)
            return stream.read()
    except IsADirectoryError as error:
        raise ModelError(
            f'{path} is a folder', 'an ONNX file', 'convert a SavedModel: python -m '
            f'tf2onnx.convert --saved-model {path.name} --output MODEL.onnx',
        ) from error
    except OSError as error:
        raise ModelError(f'{path} cannot be read ({error.strerror})', 'an ONNX file') from error


def weight_files(path: Path) -> list[Path]:
    """Return the paths of a readable model's external weight files."""
    return _weight_files(onnx.load(path, load_external_data=False), path)


def _weight_files(model: onnx.ModelProto, path: Path) -> list[Path]:
    names = {
        entry.value for tensor in model.graph.initializer
        if tensor.data_location == TensorProto.EXTERNAL
        for entry in tensor.external_data if entry.key == 'location'
    }
    return [path.parent / name for name in sorted(names)]


def _unread_weights(model: onnx.ModelProto, path: Path, error: Exception) -> ModelError:
    """Return an error that names the missing or linked weight file, or quotes that of onnx."""
    for file in _weight_files(model, path):
        seen = f'{path.name} has its weights in {file.name}'
        if file.is_symlink():
            return ModelError(
                f'{seen}, which is a symbolic link', 'a plain file beside the model',
                'copy both files to a folder with cp -L',
            )
        if not file.exists():
            return ModelError(
                f'{seen}, which is missing', f'that file, under that name, in {file.parent}',
                'put it there, or export with the weights inside',
            )
    return ModelError(
        f'the weights of {path.name} lie in another file that cannot be read ({error})',
        do='copy both files again, or export with the weights inside',
    )


def _refuse_larger(size: int, path: Path) -> None:
    if size > LARGEST_FILE:
        raise ModelError(
            f'{path.name} has {size / 2**30:.2f} GiB with its weights',
            'less than 2 GiB, the limit of one ONNX file', 'take a smaller network',
        )


def _external_bytes(tensor: TensorProto) -> int:
    """Return the size of a tensor's data in another file."""
    if tensor.data_location != TensorProto.EXTERNAL:
        return 0
    item = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    return int(prod(tensor.dims) * item)
