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

"""Files of other formats are called by their names, with what converts them."""

from pathlib import Path
import struct

import pytest
from seg_ros.core.errors import ModelError
from seg_ros.core.onnx_metadata import read_metadata

FACTS = b'{"description": "Ultralytics YOLO", "task": "segment"}'
FILES = {
    'best.pt': (b'PK\x03\x04' + bytes(99), 'ZIP archive.*yolo export'),
    'best.pth': (b'\x80\x04\x95' + bytes(99), 'pickle.*torch.onnx.export'),
    'renamed.onnx': (b'PK\x03\x04' + bytes(99), 'ZIP archive'),
    'model.plan': (b'ftrt' + bytes(99), 'TensorRT plan.*seg_ros compile'),
    'yolo.engine': (struct.pack('<i', len(FACTS)) + FACTS + b'ftrt', 'ultralytics writes it'),
    'model.tflite': (b'\x1c\0\0\0TFL3' + bytes(99), 'TensorFlow Lite.*--tflite model.tflite'),
    'model.xml': (b'<?xml version="1.0"?><net/>', "OpenVINO's IR"),
    'model.h5': (b'\x89HDF\r\n\x1a\n' + bytes(99), 'Keras.*--keras model.h5'),
    'saved_model.pb': (bytes([10, 20]) + b'saved' * 20, 'TensorFlow.*--saved-model'),
    'pointer.onnx': (
        b'version https://git-lfs.github.com/spec/v1\noid sha256:4d\n', 'git lfs pull'
    ),
    'page.onnx': (b'\n<!DOCTYPE html><html></html>', 'HTML page'),
    'model.onnx.gz': (b'\x1f\x8b\x08' + bytes(60), 'gunzip model.onnx.gz'),
    'empty.onnx': (b'', 'is empty'),
}


@pytest.mark.parametrize('name', FILES)
def test_a_file_of_another_format_is_named(name: str, tmp_path: Path) -> None:
    data, words = FILES[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ModelError, match=f'(?s){name} is .*{words}|{words}'):
        read_metadata(path)
    onnx_file = pytest.importorskip('seg_ros.compile.onnx_file', reason='onnx is not installed')
    with pytest.raises(ModelError, match=f'(?s){words}'):
        onnx_file.read_onnx(path)
