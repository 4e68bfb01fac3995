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

"""Every family in every precision, parsed and built by the real TensorRT-RTX without a GPU."""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model, CompiledModel
from seg_ros.compile.families import FAMILIES
from seg_ros.compile.precision import PRECISIONS, reduced
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.errors import EngineError, SettingError
from seg_ros.core.onnx_subgraph import onnx_subgraph
from seg_ros.core.output_choice import choose_outputs
from seg_ros.core.settings import Settings
from seg_ros.engines.build_options import BuildOptions, options_from_settings
from seg_ros.engines.flavour import load_flavour, RTX
from seg_ros.engines.plan import build_for_others
from seg_ros.engines.tensorrt_build import build_plan

pytest.importorskip(RTX, reason='TensorRT-RTX is not installed (tensorrt-rtx-cu12)')

SIZE_HW, CLASSES, COEFFICIENTS = (64, 96), 3, 4
TARGETS = ('8.6', '8.9')
SOURCE_SIZES = ((80, 120),)


class Sketch:
    """A convolutional network that is drawn node by node; its weights are noise."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.random = np.random.default_rng(0)

    def add(self, operator: str, *inputs: str, name: str = '', **attributes: object) -> str:
        output = name or f'{operator}{len(self.nodes)}'
        self.nodes.append(helper.make_node(
            operator, list(inputs), [output], f'node {output}', **attributes
        ))
        return output

    def constant(self, values: object) -> str:
        name = f'constant{len(self.weights)}'
        self.weights.append(numpy_helper.from_array(np.array(values), name))
        return name

    def conv(self, source: str, read: int, write: int, name: str = '', stride: int = 1) -> str:
        kernel = self.random.normal(0, 0.3, (write, read, stride, stride)).astype(np.float32)
        return self.add('Conv', source, self.constant(kernel), name=name, strides=[stride] * 2)

    def trunk(self) -> str:
        half = self.add('Relu', self.conv('images', 3, 8, stride=2))
        return self.add('Relu', self.conv(half, 8, 8, stride=2))

    def model(self, *outputs: str) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes, 'sketch',
            [helper.make_tensor_value_info('images', TensorProto.FLOAT, ['N', 3, *SIZE_HW])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            self.weights,
        )
        opset = helper.make_opsetid('', 17)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8)


def logits_network() -> onnx.ModelProto:
    sketch = Sketch()
    sketch.conv(sketch.trunk(), 8, CLASSES, 'scores')
    return sketch.model('scores')


def yolo_network() -> onnx.ModelProto:
    sketch = Sketch()
    maps = sketch.trunk()
    sketch.conv(maps, 8, COEFFICIENTS, 'protos')
    rows, channels = [], 4 + CLASSES + COEFFICIENTS
    for _ in range(3):
        maps = sketch.add('MaxPool', maps, kernel_shape=[2, 2], strides=[2, 2])
        shape = sketch.constant([0, channels, -1])
        rows.append(sketch.add('Reshape', sketch.conv(maps, 8, channels), shape))
    joined = sketch.add('Concat', *rows, axis=2)
    boxes, scores, coefficients = (
        sketch.add('Slice', joined, *map(sketch.constant, ([begin], [end], [1])))
        for begin, end in ((0, 4), (4, 4 + CLASSES), (4 + CLASSES, channels))
    )
    likely = sketch.add('Sigmoid', scores)
    sketch.add('Concat', boxes, likely, coefficients, name='rows', axis=1)
    return sketch.model('rows', 'protos')


def centers_network() -> onnx.ModelProto:
    sketch = Sketch()
    maps = sketch.trunk()
    for name, channels in (('semantic', CLASSES), ('center', 1), ('offset', 2)):
        sketch.conv(maps, 8, channels, name)
    return sketch.model('semantic', 'center', 'offset')


def query_network() -> onnx.ModelProto:
    sketch = Sketch()
    maps = sketch.trunk()
    sketch.conv(maps, 8, 5, 'masks')
    means = sketch.add(
        'ReduceMean', sketch.conv(maps, 8, 5 * (CLASSES + 1)), axes=[2, 3], keepdims=0
    )
    sketch.add('Reshape', means, sketch.constant([0, 5, CLASSES + 1]), name='classes_of')
    return sketch.model('classes_of', 'masks')


def box_network() -> onnx.ModelProto:
    sketch = Sketch()
    maps = sketch.trunk()
    square = sketch.add(
        'Slice', sketch.conv(maps, 8, 5), *map(sketch.constant, ([0], [16], [3]))
    )
    sketch.add('Sigmoid', square, name='masks_of')
    for name, width in (('boxes_of', 4), ('rows', CLASSES), ('chances', 1)):
        means = sketch.add(
            'ReduceMean', sketch.conv(maps, 8, 5 * width), axes=[2, 3], keepdims=0
        )
        shape = [0, 5] if width == 1 else [0, 5, width]
        sketch.add('Reshape', means, sketch.constant(shape), name=name)
    sketch.add('Sigmoid', 'chances', name='scores_of')
    sketch.add('ArgMax', 'rows', name='labels_of', axis=2, keepdims=0)
    model = sketch.model('boxes_of', 'scores_of', 'masks_of')
    model.graph.output.append(
        helper.make_tensor_value_info('labels_of', TensorProto.INT64, None)
    )
    return model


def prompt_network() -> onnx.ModelProto:
    sketch = Sketch()
    maps = sketch.conv(sketch.trunk(), 8, 4 * 2)
    far = sketch.add(
        'MatMul', 'boxes', sketch.constant(sketch.random.normal(0, 1, (4, 2)).astype(np.float32))
    )
    asked = sketch.add('Reshape', sketch.add('Sin', far), sketch.constant([1, 4, 2, 1, 1]))
    map_hw = SIZE_HW[0] // 4, SIZE_HW[1] // 4
    seen = sketch.add('Reshape', maps, sketch.constant([1, 4, 2, *map_hw]))
    sketch.add('Mul', seen, asked, name='masks_of')
    sketch.add('ReduceMax', 'masks_of', name='sure_of', axes=[3, 4], keepdims=0)
    model = sketch.model('masks_of', 'sure_of')
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    model.graph.input.append(
        helper.make_tensor_value_info('boxes', TensorProto.FLOAT, [1, 4, 4])
    )
    return model


NETWORKS = {
    'promptable': ('promptable', prompt_network),
    'query_masks': ('panoptic', query_network),
    'box_masks': ('instance', box_network),
    'logits': ('semantic', logits_network),
    'yolo_seg': ('instance', yolo_network),
    'panoptic_centers': ('panoptic', centers_network),
}


def compiled_network(folder: Path, family: str, precision: str = 'fp32') -> CompiledModel:
    task, network = NETWORKS[family]
    path = folder / f'{family}.onnx'
    onnx.save(network(), path)
    classes = [
        {'id': index, 'name': f'class {index}', 'thing': task != 'semantic' and index > 0}
        for index in range(CLASSES)
    ]
    card = card_from_dict({'name': family, 'task': task, 'family': family, 'classes': classes})
    sizes = SOURCE_SIZES if family == 'logits' else ()
    compiled = compiled_from_model(compile_model(path, card, source_sizes=sizes), family)
    noise = np.random.default_rng(1).integers(0, 256, (2, 1, *SIZE_HW, 3), np.uint8)
    return reduced(compiled, precision, noise)


def built(compiled: CompiledModel, **settings: object) -> list[bytes]:
    """Return the plan of every choice of outputs that there is."""
    plans = []
    for upsample in ('graph', 'edges') if 'logits' in compiled.signature.tensors else ('graph',):
        chosen = Settings(upsample=upsample, **settings)
        choice = choose_outputs(compiled.signature, chosen, 'graph')
        options = options_from_settings(chosen, compiled.signature, load_flavour(RTX), TARGETS)
        reports: list[tuple[str, float]] = []
        plan = build_plan(
            onnx_subgraph(compiled.model.SerializeToString(), choice.names, 'm'), options, b'',
            lambda phase, share, reports=reports: reports.append((phase, share)), pytest.fail,
        ).plan
        shares = [share for _, share in reports]
        assert shares == sorted(shares)
        assert shares[-1] == 1
        plans.append(plan)
    return plans


def test_every_family_has_a_network_here() -> None:
    assert set(NETWORKS) == set(FAMILIES)


@pytest.mark.parametrize('precision', PRECISIONS)
@pytest.mark.parametrize('family', NETWORKS)
def test_every_family_is_built_in_every_precision(
    family: str, precision: str, tmp_path: Path
) -> None:
    compiled = compiled_network(tmp_path, family, precision)
    kinds = {
        tensor.data_type for tensor in compiled.model.graph.initializer
    } | {node.op_type for node in compiled.model.graph.node}
    assert {'fp32': 'Conv', 'fp16': TensorProto.FLOAT16, 'int8': 'DequantizeLinear'}[
        precision
    ] in kinds
    for plan in built(compiled, max_batch=3):
        assert len(plan) > 1000


def test_labels_of_one_image_size_are_built(tmp_path: Path) -> None:
    assert all(built(compiled_network(tmp_path, 'logits'), source_size='120x80'))


def test_what_the_parser_refuses_comes_back_in_its_words(tmp_path: Path) -> None:
    sketch = Sketch()
    sketch.add('Det', 'images', name='volume')
    sketch.add('Unique', 'images', name='odd')
    with pytest.raises(EngineError) as caught:
        build_plan(
            sketch.model('volume', 'odd').SerializeToString(),
            BuildOptions(RTX), b'', lambda phase, share: None, pytest.fail,
        )
    for words in ("Det 'node volume'", "Unique 'node odd'"):
        assert words in str(caught.value)


def test_what_the_builder_refuses_comes_back_in_its_words(tmp_path: Path) -> None:
    compiled = compiled_network(tmp_path, 'logits')
    with pytest.raises(EngineError, match=r'built no plan: .*workspace limit'):
        build_plan(
            compiled.model.SerializeToString(),
            BuildOptions(RTX, workspace_mib=1, compute_capabilities=('SM89',)),
            b'', lambda phase, share: None, pytest.fail,
        )


def test_a_plan_for_other_machines_is_built_in_a_child(tmp_path: Path) -> None:
    model = tmp_path / 'compiled.onnx'
    onnx.save(compiled_network(tmp_path, 'logits').model, model)
    compiled, file = read_compiled(model), tmp_path / 'logits.plan'
    build_for_others(
        compiled, Settings(), load_flavour(RTX), TARGETS, file, lambda phase, share: None
    )
    assert file.stat().st_size > 1000
    with pytest.raises(EngineError, match=r'SM87, which.*SM89.*full TensorRT'):
        build_for_others(
            compiled, Settings(), load_flavour(RTX), ['8.7'], file, lambda phase, share: None
        )


@pytest.mark.parametrize('setting', [
    {'dla_core': 0}, {'hardware_compatibility': 'ampere_plus'},
])
def test_options_of_the_full_tensorrt_are_refused(
    setting: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match='with TensorRT-RTX'):
        built(compiled_network(tmp_path, 'logits'), **setting)
