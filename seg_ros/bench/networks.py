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

"""Networks with constant outputs and a chosen cost, for benchmarks without a given model."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper, numpy_helper, TensorProto
from seg_ros.bench.samples import median_ms
from seg_ros.bench.scenes import (
    Answers,
    SEMANTIC_CLASSES,
    SEMANTIC_INPUT_HW,
    street_scores,
    YOLO_CLASSES,
    YOLO_HW,
    yolo_rows,
)
from seg_ros.compile.compile_model import compile_model
from seg_ros.core.card import ClassInfo, InputSpec, ModelCard

FLOAT = TensorProto.FLOAT
WIDTH = 32    # channels of the convolutions that cost time
PROBE_DEPTH = 40


def raw_network(
    answers: Answers, size_hw: tuple[int, int], path: Path, depth: int = 0
) -> Path:
    """
    Write a network that always returns the same outputs.

    :param depth: number of 3 x 3 convolutions with 32 channels at an eighth of the size. They take
        the time of a real network; their result does not change the outputs.
    """
    random = np.random.default_rng(0)
    weights: dict[str, NDArray[Any]] = {
        'seed': random.normal(0, 0.1, (WIDTH, 3, 8, 8)), 'nothing': np.zeros(()),
        **{f'kernel{index}': random.normal(0, 0.08, (WIDTH, WIDTH, 3, 3))
           for index in range(depth)},
        **{f'{name}_answer': array for name, array in answers.items()},
    }
    nodes = [helper.make_node('Conv', ['images', 'seed'], ['map0'], strides=[8, 8])]
    for index in range(depth):
        nodes += [
            helper.make_node(
                'Conv', [f'map{index}', f'kernel{index}'], [f'sum{index}'], pads=[1, 1, 1, 1]
            ),
            helper.make_node('Relu', [f'sum{index}'], [f'map{index + 1}']),
        ]
    nodes += [
        helper.make_node('ReduceMean', [f'map{depth}'], ['mean'], keepdims=0),
        helper.make_node('Mul', ['mean', 'nothing'], ['zero']),
        *(helper.make_node('Add', [f'{name}_answer', 'zero'], [name]) for name in answers),
    ]
    graph = helper.make_graph(
        nodes, 'bench',
        [helper.make_tensor_value_info('images', FLOAT, [1, 3, *size_hw])],
        [helper.make_tensor_value_info(name, FLOAT, array.shape)
         for name, array in answers.items()],
        [numpy_helper.from_array(array.astype(np.float32), name)
         for name, array in weights.items()],
    )
    opsets = [helper.make_opsetid('', 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def street_model(folder: Path, depth: int = 0) -> tuple[Path, Path]:
    """Write the semantic network that returns `street_scores`; see `instance_model`."""
    path = folder / f'street{depth}.raw.onnx'
    raw = raw_network(street_scores(), SEMANTIC_INPUT_HW, path, depth)
    return raw, _compiled(raw, 'semantic', SEMANTIC_CLASSES, InputSpec(SEMANTIC_INPUT_HW))


def instance_model(
    folder: Path, objects: int, depth: int = 0, source_hw: tuple[int, int] = (720, 1280),
    classes: int = YOLO_CLASSES,
) -> tuple[Path, Path]:
    """
    Write the instance network that returns `yolo_rows`.

    :param depth: number of convolutions, see `raw_network`.
    :returns: paths of the raw network, as exporters write it, and of the compiled one.
    """
    name = f'objects{objects}_{depth}.raw.onnx'
    raw = raw_network(yolo_rows(objects, source_hw, classes), YOLO_HW, folder / name, depth)
    return raw, _compiled(raw, 'instance', classes, InputSpec(YOLO_HW))


def _compiled(raw: Path, task: Any, classes: int, spec: InputSpec) -> Path:
    infos = tuple(
        ClassInfo(index, f'class {index}', ((index * 37 + 20) % 256, index * 3 % 256, 255 - index),
                  thing=task == 'instance')
        for index in range(classes)
    )
    path = raw.with_name(raw.name.replace('.raw', ''))
    onnx.save(compile_model(raw, ModelCard(raw.name.split('.')[0], task, infos, input=spec)), path)
    return path


def raw_runner(path: Path, threads: int) -> Any:
    """Open a raw network in plain OpenVINO and return a function that runs it."""
    import openvino as ov

    options = {'PERFORMANCE_HINT': 'LATENCY', 'NUM_STREAMS': 1, 'INFERENCE_NUM_THREADS': threads}
    network = ov.Core().compile_model(str(path), 'CPU', options)
    request = network.create_infer_request()
    pixels = np.full(network.inputs[0].shape, 0.5, np.float32)
    return lambda: request.infer({'images': pixels}, share_inputs=True)


def depth_for(wanted_ms: float, folder: Path, threads: int) -> int:
    """Return how many convolutions take about `wanted_ms` on this machine, from a probe."""
    raw = raw_network(street_scores(), SEMANTIC_INPUT_HW, folder / 'probe.onnx', PROBE_DEPTH)
    return max(1, round(PROBE_DEPTH * wanted_ms / median_ms(raw_runner(raw, threads), 8)))
