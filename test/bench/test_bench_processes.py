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

"""Every module that a benchmark starts as a process is there."""

import ast
from importlib.util import find_spec
from pathlib import Path

import seg_ros

ROOT = Path(seg_ros.__file__).parent


def modules_started(path):
    """List the first arguments of all calls of `started` in a file."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [
        call.args[0].value for call in calls
        if getattr(call.func, 'id', '') == 'started' and isinstance(call.args[0], ast.Constant)
    ]


def test_every_process_of_a_benchmark_has_its_module():
    names = [name for path in ROOT.glob('bench/**/*.py') for name in modules_started(path)]
    assert len(names) >= 4
    assert [name for name in names if not find_spec(f'seg_ros.{name}')] == []
