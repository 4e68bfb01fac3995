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
"""What a bench found, row by row."""

from pathlib import Path

from seg_ros.bench.report import row_names


def test_models_of_one_file_name_are_rows_of_their_own():
    models = [Path('a/model.onnx'), Path('b/model.onnx'), Path('b/other.onnx')]
    assert row_names(models) == ['a/model.onnx', 'b/model.onnx', 'other.onnx']
