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

"""A robot needs few packages: the node and any engine work where nothing else can be imported."""

from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]
# What compiling, bags, training and progress bars need, and a robot has not.
ABSENT = (
    'google', 'matplotlib', 'numba', 'onnx', 'onnx_ir', 'onnxscript', 'pandas', 'PIL', 'psutil',
    'pybullet', 'pycocotools', 'rosbags', 'scipy', 'spox', 'torch', 'tqdm',
)
BLOCKED = """
import sys

class Absent:

    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {absent}:
            raise ImportError(f'{name} is not installed, as on a robot')

sys.meta_path.insert(0, Absent())
"""
SEGMENT = """
import numpy as np
from seg_ros.core.settings import Settings
from seg_ros.engines import open_engine

engine = open_engine(Settings({settings}))
signature = engine.signature
outputs = engine.submit(
    np.zeros((1, *signature.size_hw, signature.channels), np.uint8)
).result()
assert outputs.present(), outputs
engine.close()
"""


def run_alone(program: str, *absent: str) -> None:
    blocked = BLOCKED.replace('{absent}', repr((*ABSENT, *absent)))
    done = subprocess.run(
        [sys.executable, '-c', blocked + program], cwd=ROOT, capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(('engine', 'others'), [
    ('openvino', ('onnxruntime', 'tensorrt')), ('onnxruntime', ('openvino', 'tensorrt')),
])
def test_an_engine_needs_no_package_but_its_own(engine: str, others: tuple[str, ...]) -> None:
    pytest.importorskip(engine, reason=f'{engine} is not installed')
    run_alone(SEGMENT.replace('{settings}', f'engine={engine!r}'), *others, 'rclpy')


def test_the_classical_engine_needs_numpy_and_opencv_alone() -> None:
    run_alone(
        SEGMENT.replace('{settings}', "model='otsu'"), 'onnxruntime', 'openvino', 'rclpy'
    )


def test_an_instance_model_needs_no_more(tmp_path: Path) -> None:
    pytest.importorskip('onnxruntime', reason='onnxruntime is not installed')
    pytest.importorskip('spox', reason='spox is not installed, with which the model is made')
    from seg_ros.bench.networks import instance_model

    model = str(instance_model(tmp_path, 3)[1])
    run_alone(SEGMENT.replace('{settings}', f"engine='onnxruntime', model={model!r}"))


def test_a_bench_that_makes_no_network_needs_no_onnx() -> None:
    run_alone(
        "from seg_ros.cli import main; sys.argv = ['seg_ros', 'bench', 'depth', '--rounds', '1']\n"
        'sys.exit(main())', 'onnxruntime', 'openvino', 'rclpy',
    )


@pytest.mark.ros
def test_the_node_is_imported_without_any_engine() -> None:
    pytest.importorskip('rclpy', reason='ROS is not sourced')
    run_alone('import seg_ros.ros.node', 'onnxruntime', 'openvino', 'tensorrt', 'pycuda')


NOBODY = """
import sys
assert not any(name.startswith('openvino_telemetry.') for name in sys.modules)
"""


@pytest.mark.parametrize('engine', ['openvino', 'onnxruntime'])
def test_an_engine_reports_to_nobody_that_it_is_used(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(engine, reason=f'{engine} is not installed')
    for name in ('ORT_DISABLE_TELEMETRY', 'CI', 'XDG_CACHE_HOME'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('HOME', str(tmp_path))
    run_alone(SEGMENT.replace('{settings}', f'engine={engine!r}') + NOBODY)
    written = {path.name for path in tmp_path.rglob('*')}
    assert not written & {'intel', 'Microsoft', 'deviceid'}
