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
