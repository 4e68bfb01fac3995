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

"""Every TensorRT name that the code uses exists in all supported versions."""

import ast
from collections.abc import Iterator
import importlib
import inspect
import json
from pathlib import Path
import re
import sys

import pytest

HERE = Path(__file__).parent
ENGINES = HERE.parents[1] / 'seg_ros' / 'engines'
# Files whose variables hold TensorRT's objects although they do not import it.
OF_TENSORRT = {'batch_context.py', 'engine.py', 'log.py', 'plan.py', 'session.py'}
DATA = json.loads((HERE.parent / 'fixtures' / 'tensorrt_names.json').read_text(encoding='utf-8'))
VERSIONS = DATA['versions']
RTX = '1.7.1.116'
# TensorRT classes by the names of the variables that hold their objects in the engines.
OBJECTS = {
    'builder': 'Builder', 'network': 'INetworkDefinition', 'config': 'IBuilderConfig',
    'parser': 'OnnxParser', 'fault': 'ParserError', 'profile': 'IOptimizationProfile',
    'tensor': 'ITensor', 'cache': 'ITimingCache', 'runtime': 'Runtime', 'engine': 'ICudaEngine',
    'context': 'IExecutionContext',
}
# Names that only some versions have, with these versions; the code checks for them first.
GUARDED = {
    'ComputeCapability': {RTX},
    'IBuilderConfig.num_compute_capabilities': {RTX},
    'IBuilderConfig.set_compute_capability': {RTX},
    'ICudaEngine.device_memory_size': {
        '8.6.1', '10.0.1', '10.3.0', '10.7.0', '10.13.0.35', '10.16.1.11',
    },
    'ICudaEngine.device_memory_size_v2': set(VERSIONS) - {'8.6.1', '10.0.1'},
    'ICudaEngine.create_execution_context_without_device_memory': set(VERSIONS) - {
        '11.0.0.114', '11.4.0.106', RTX,
    },
    **dict.fromkeys((
        'ExecutionContextAllocationStrategy', 'IProgressMonitor',
        'IBuilderConfig.progress_monitor', 'NetworkDefinitionCreationFlag.STRONGLY_TYPED',
        'ParserError.node_name', 'ParserError.node_operator',
    ), set(VERSIONS) - {'8.6.1'}),
    'NetworkDefinitionCreationFlag.EXPLICIT_BATCH': {
        version for version in VERSIONS if version.startswith(('8.', '10.'))
    },
}


def names_of(version: str) -> set[str]:
    """Return all names of a version, as `Class` and `Class.attribute`."""
    index = VERSIONS.index(version)
    return {
        f'{owner}.{name}' if name else owner
        for owner, groups in DATA['names'].items()
        for mask, names in groups.items() if mask[index] == '1'
        for name in names
    }


NAMES = {version: names_of(version) for version in VERSIONS}


def used(source: str) -> set[str]:
    """Return the TensorRT names that a module uses, written as in `names_of`."""
    found = {name for node in ast.walk(ast.parse(source)) for name in named_by(node)}
    return {name for name in found if not name.rpartition('.')[2].startswith('_')}


def named_by(node: ast.AST) -> Iterator[str]:
    """Yield the TensorRT name of an attribute, or of a getattr with a constant name."""
    if isinstance(node, ast.Attribute):
        owner, name = node.value, node.attr
    elif isinstance(node, ast.Call) and called(node.func) == 'getattr' and isinstance(
        node.args[1], ast.Constant
    ):
        owner, name = node.args[0], node.args[1].value
    else:
        return
    holder = called(owner)
    if holder == 'trt':
        yield name
    elif holder in OBJECTS:
        yield f'{OBJECTS[holder]}.{name}'
    elif isinstance(owner, ast.Attribute) and called(owner.value) == 'trt':
        yield f'{holder}.{name}'


def called(node: ast.AST) -> str:
    """Return the last name of an expression, without leading underscores."""
    name = getattr(node, 'attr', getattr(node, 'id', ''))
    return name.lstrip('_')


def all_used() -> set[str]:
    return {
        name for file in ENGINES.rglob('*.py')
        for text in [file.read_text(encoding='utf-8')]
        if file.name in OF_TENSORRT or re.search(r'\btrt\.', text)
        for name in used(text)
    }


def missing(names: set[str], version: str) -> set[str]:
    """Return those of `names` that a version lacks, except where the code checks for them."""
    return {
        name for name in names - NAMES[version]
        if version in GUARDED.get(name.partition('.')[0], GUARDED.get(name, {version}))
    }


def test_the_walk_sees_what_there_is() -> None:
    names = all_used()
    assert {
        'Builder', 'Builder.build_serialized_network', 'OnnxParser.parse', 'ParserError.desc',
        'IBuilderConfig.set_memory_pool_limit', 'MemoryPoolType.WORKSPACE',
        'ICudaEngine.get_tensor_name', 'IExecutionContext.execute_async_v3',
        'ICudaEngine.device_memory_size_v2', 'NetworkDefinitionCreationFlag.STRONGLY_TYPED',
    } <= names


@pytest.mark.parametrize('version', VERSIONS)
def test_every_name_is_in_every_version(version: str) -> None:
    assert missing(all_used(), version) == set()


def test_what_is_guarded_is_used_and_is_where_it_is_said_to_be() -> None:
    assert set(GUARDED) <= all_used()
    for name, versions in GUARDED.items():
        assert {version for version in VERSIONS if name in NAMES[version]} == versions, name


@pytest.mark.parametrize(('line', 'name'), [
    ('config.set_flag(trt.BuilderFlag.FP16)', 'BuilderFlag.FP16'),
    ('flag = self._trt.TacticSource.CUBLAS', 'TacticSource.CUBLAS'),
    ('self._context.execute_async_v2(bindings)', 'IExecutionContext.execute_async_v2'),
    ('config.max_workspace_size = 1', 'IBuilderConfig.max_workspace_size'),
    ('return builder.platform_has_fast_fp16', 'Builder.platform_has_fast_fp16'),
    ("getattr(engine, 'num_bindings', 0)", 'ICudaEngine.num_bindings'),
])
def test_a_name_that_a_version_lacks_is_found(line: str, name: str) -> None:
    planted = used(f'def f(trt, self):\n    {line}')
    assert name in planted
    assert name in missing(planted, '11.4.0.106')


def test_the_stand_in_for_tests_has_no_names_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE.parent / 'fakes'))
    known = set.union(*NAMES.values())
    try:
        module = importlib.import_module('tensorrt')
        assert 'fakes' in str(module.__file__)
        invented = {
            f'{name}.{inner}'
            for name, item in vars(module).items()
            if inspect.isclass(item) and item.__module__.startswith('tensorrt.')
            and not name.startswith('_')
            for inner in vars(item) if not inner.startswith('_') and inner != 'name'
        } - known
    finally:
        for name in [name for name in sys.modules if name.partition('.')[0] == 'tensorrt']:
            del sys.modules[name]
    assert invented == set()
