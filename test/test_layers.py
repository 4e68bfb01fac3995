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

"""The arrows between the layers: who may import whom, and what a layer needs to be imported."""

import ast
from collections.abc import Iterator
from pathlib import Path
import sys

import pytest

ROOT = Path(__file__).parents[1]

# What a sourced ROS brings.
ROS = {
    'ament_index_python', 'bondpy', 'builtin_interfaces', 'diagnostic_msgs', 'geometry_msgs',
    'lifecycle_msgs', 'rcl_interfaces', 'rclpy', 'sensor_msgs', 'std_msgs', 'std_srvs',
    'nav_msgs', 'tf2_ros', 'vision_msgs', 'visualization_msgs',
}
# Layer: the layers that it may import, and what else an import of it may pull in. The rest is
# imported inside the functions that need it; in core nothing is.
RUNTIME = {'core', 'image', 'masks', 'temporal', 'depth', 'engines', 'pipeline'}
LAYERS = {
    'core': ({'core'}, {'numpy', 'cv2', 'yaml'}),
    'image': ({'core', 'image'}, {'numpy', 'cv2'}),
    'masks': ({'core', 'image', 'masks'}, {'numpy', 'cv2'}),
    'temporal': ({'core', 'temporal'}, {'numpy', 'cv2'}),
    'depth': ({'core', 'image', 'masks', 'depth'}, {'numpy', 'cv2'}),
    'engines': ({'core', 'image', 'masks', 'engines'}, {'numpy', 'cv2'}),
    'pipeline': (RUNTIME, {'numpy', 'cv2'}),
    'api': (RUNTIME | {'api'}, {'numpy'}),
    'ros': (RUNTIME | {'params_file', 'ros', 'share', 'threads'}, {'numpy', 'cv2', *ROS}),
    'compile': (
        {'core', 'image', 'engines', 'compile'}, {'numpy', 'cv2', 'onnx', 'google', 'spox'},
    ),
    'metrics': ({'core', 'masks', 'metrics'}, {'numpy', 'cv2'}),
    'sim': ({'core', 'image', 'masks', 'sim'}, {'numpy', 'cv2'}),
    'training': ({'core', 'image', 'sim', 'training'}, {'numpy', 'cv2'}),
    'zoo': ({'core', 'zoo'}, {'numpy', 'onnx'}),
    'share': ({'core'}, set()),
    'launch_actions': ({'launch_actions', 'share'}, {'launch', 'launch_ros'}),
    'nav2_file': ({'core'}, {'yaml'}),
    'params_file': ({'core'}, {'yaml'}),
    'threads': (set(), set()),
    'docs': ({'core', 'docs'}, set()),
    'models': (set(), set()),
    'bench': (
        RUNTIME | {'compile', 'ros', 'share', 'sim', 'bench'},
        {'numpy', 'cv2', 'onnx', 'tqdm', *ROS},
    ),
    'demo': (RUNTIME | {'ros', 'metrics', 'share', 'sim', 'demo'}, {'numpy', 'cv2', *ROS}),
    'commands': (
        RUNTIME | {
            'api', 'compile', 'metrics', 'sim', 'training', 'share', 'bench', 'commands',
            'demo', 'threads', 'zoo',
        },
        {'numpy', 'cv2', 'onnx', 'tqdm', 'yaml'},
    ),
    'cli': ({'core', 'commands'}, set()),
}
# Files about one package, imported only where it is wanted.
WRAPPERS = {
    'bench/loops/crossing.py': {'pybullet'},
    'bench/loops/gripper.py': {'pybullet'},
    'bench/plain_node.py': {'onnxruntime'},
    'commands/media/bag.py': {'rosbags'},
    'commands/media/bag_writer.py': {'rosbags'},
    'engines/grid_sample.py': {'onnx'},
    'engines/onnxruntime.py': {'onnxruntime'},
    'engines/openvino.py': {'openvino'},
    'compile/run_onnx.py': {'onnxruntime'},
    'sim/renderer.py': {'pybullet'},
    'sim/world.py': {'pybullet', 'pybullet_data', 'pybullet_utils'},
    'training/batches.py': {'torch'},
    'training/detector_batches.py': {'torch', 'torchvision'},
    'training/export.py': {'onnx', 'torch'},
    'training/fine_tune.py': {'torch'},
    'training/image_files.py': {'PIL'},
    'training/losses.py': {'torch'},
    'training/network.py': {'torch'},
    'training/normalization.py': {'torch'},
    'training/optimizer.py': {'torch'},
    'training/train.py': {'torch'},
    'training/weights.py': {'torch'},
    'zoo/random_weights.py': {'torch'},
    'zoo/reference.py': {'torch'},
    'zoo/weights.py': {'torch'},
}
# What is written in PyTorch, imported only to export it.
ZOO_NETWORKS = ('zoo/layers/', 'zoo/networks/')


def imports(tree: ast.AST, at_import: bool = True) -> Iterator[tuple[str, bool]]:
    """Give what a module imports, and whether already its own import does."""
    for node in ast.iter_child_nodes(tree):
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_import) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield ('.' * node.level + (node.module or ''), at_import)
        yield from imports(node, at_import and not inside)


def violations(path: str, source: str) -> list[str]:
    """
    Return the imports that a module must not have.

    :param path: of the module inside seg_ros, such as `core/frame.py`.
    """
    layer = path.removesuffix('.py').split('/')[0]
    if layer == '__init__':
        return []
    layers, packages = LAYERS[layer]
    packages = packages | WRAPPERS.get(path, set()) | sys.stdlib_module_names
    if path.startswith(ZOO_NETWORKS):
        packages = packages | {'torch'}
    wrong = []
    for name, at_import in imports(ast.parse(source)):
        first, _, rest = name.partition('.')
        if first == 'seg_ros':
            right = rest.split('.')[0] in layers | {''}
        else:
            right = first in packages or not (at_import or layer == 'core')
        if not right:
            wrong.append(f'{path} imports {name}')
    return wrong


def test_modules_import_only_what_their_layers_may() -> None:
    package = ROOT / 'seg_ros'
    files = sorted(package.rglob('*.py'))
    assert files
    wrong = [
        found for file in files
        for found in violations(str(file.relative_to(package)), file.read_text(encoding='utf-8'))
    ]
    assert wrong == []


@pytest.mark.parametrize(('path', 'source'), [
    ('core/frame.py', 'import onnx'),
    ('core/frame.py', 'def f():\n    import rclpy'),
    ('core/frame.py', 'from seg_ros.compile.postprocessing import label_outputs'),
    ('core/frame.py', 'from . import card'),
    ('engines/openvino.py', 'from seg_ros.compile.compiled import load_compiled'),
    ('compile/postprocessing.py', 'def f():\n    from seg_ros.ros.node import main'),
    ('engines/openvino.py', 'import onnxruntime'),
    ('engines/model_path.py', 'import ament_index_python'),
    ('pipeline/workers.py', 'if True:\n    from seg_ros.ros.node import SegmentationNode'),
    ('pipeline/workers.py', 'import rclpy'),
    ('depth/cloud.py', 'from sensor_msgs.msg import PointCloud2'),
    ('depth/cloud.py', 'from seg_ros.pipeline.workers import Workers'),
    ('commands/run.py', 'from seg_ros.ros.conversions import frame_from_image'),
    ('commands/run.py', 'class Run:\n    import rosbags'),
    ('cli.py', 'import openvino'),
])
def test_an_import_against_the_layers_is_found(path: str, source: str) -> None:
    assert len(violations(path, source)) == 1


@pytest.mark.parametrize(
    ('path', 'source'),
    [
        ('core/frame.py', 'import json, numpy.typing\nfrom seg_ros.core.card import ModelCard'),
        (
            'engines/openvino.py',
            'import openvino as ov\nfrom seg_ros.core.compiled_file import read_compiled',
        ),
        ('commands/run.py', 'def f():\n    from rosbags.highlevel import AnyReader'),
        ('ros/node.py', 'import rclpy\nfrom seg_ros.engines import open_engine'),
    ],
)
def test_an_import_along_the_layers_is_left_alone(path: str, source: str) -> None:
    assert violations(path, source) == []
