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

"""The real TensorRT-RTX, without a GPU, parses and builds every family in every precision."""

from pathlib import Path

from family_networks import compiled_network, NETWORKS, Sketch
import onnx
from onnx import TensorProto
import pytest
from seg_ros.compile.compiled import CompiledModel
from seg_ros.compile.families import FAMILIES
from seg_ros.compile.precision import PRECISIONS
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.errors import EngineError, SettingError
from seg_ros.core.onnx_subgraph import onnx_subgraph
from seg_ros.core.output_choice import choose_outputs
from seg_ros.core.settings import Settings
from seg_ros.engines.tensorrt.build import build_plan
from seg_ros.engines.tensorrt.build_options import BuildOptions, options_from_settings
from seg_ros.engines.tensorrt.flavour import load_flavour, RTX
from seg_ros.engines.tensorrt.plan_source import build_for_others

pytest.importorskip(RTX, reason='TensorRT-RTX is not installed (tensorrt-rtx-cu12)')

TARGETS = ('8.6', '8.9')


def built(compiled: CompiledModel, **settings: object) -> list[bytes]:
    """Return the plans of all choices of outputs."""
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
