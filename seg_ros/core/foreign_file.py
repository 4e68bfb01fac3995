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

"""Detection of files that are mistaken for ONNX models, with advice on converting them."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from seg_ros.core.errors import ModelError

HEAD_BYTES = 64
_TF2ONNX = 'python -m tf2onnx.convert'


def refuse_foreign(stream: BinaryIO, path: Path) -> None:
    """
    Check a file's first bytes, and rewind the stream.

    :raises ModelError: if they belong to another format, with advice on how to convert it.
    """
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    for is_it, what, advice in _FORMATS:
        if is_it(head, path):
            raise ModelError(
                f'{path.name} is {what}', 'an ONNX file', advice.format(name=path.name)
            )


def _starts(*beginnings: bytes) -> Callable[[bytes, Path], bool]:
    return lambda head, path: head.lstrip().lower().startswith(
        tuple(beginning.lower() for beginning in beginnings)
    )


def _holds(place: int, magic: bytes) -> Callable[[bytes, Path], bool]:
    return lambda head, path: head[place:place + len(magic)] == magic


def _is_pickle(head: bytes, path: Path) -> bool:
    return len(head) > 2 and head[0] == 0x80 and head[1] in range(2, 6)


_FROM_TORCH = 'export it: yolo export model={name} format=onnx, or torch.onnx.export in Python'
_PLANS = (
    'use the ONNX file it was built from: seg_ros compile makes a model of it, and plans are '
    'built on the machine that runs them (seg_ros build)'
)
_FORMATS: tuple[tuple[Callable[[bytes, Path], bool], str, str], ...] = (
    (lambda head, path: not head, 'empty', 'copy or export it again'),
    (_starts(b'version https://git-lfs'), 'a Git LFS pointer instead of the file itself',
     'run: git lfs pull'),
    (_starts(b'<!doctype html', b'<html'), 'an HTML page', 'download the file itself again'),
    (_starts(b'<?xml', b'<net'), "OpenVINO's IR", 'export the network as ONNX instead'),
    (_starts(b'PK\x03\x04'), 'a ZIP archive, as PyTorch writes its checkpoints (.pt, .pth)',
     _FROM_TORCH),
    (_is_pickle, 'a Python pickle, as PyTorch wrote its checkpoints (.pt, .pth)', _FROM_TORCH),
    (_starts(b'ftrt', b'ptrt'), 'a TensorRT plan (.engine, .plan)', _PLANS),
    (_holds(4, b'{"'), 'a TensorRT plan as ultralytics writes it (.engine)', _PLANS),
    (_holds(4, b'TFL3'), 'a TensorFlow Lite model',
     f'convert it: {_TF2ONNX} --tflite {{name}} --output MODEL.onnx'),
    (_starts(b'\x89HDF'), 'a Keras model (HDF5)',
     f'convert it: {_TF2ONNX} --keras {{name}} --output MODEL.onnx'),
    (_starts(b'\x1f\x8b'), 'compressed by gzip', 'run: gunzip {name}'),
    (lambda head, path: path.suffix == '.pb', "TensorFlow's graph",
     f'convert its folder: {_TF2ONNX} --saved-model FOLDER --output MODEL.onnx'),
)
