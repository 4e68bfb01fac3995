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

"""The packages printed in docs/extend work exactly as printed."""

import os
from pathlib import Path
import re
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ROOT / 'docs' / 'extend'
FILE = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)

ENGINE = """
import numpy as np
import onnx
from pathlib import Path
import sys

from conv_networks import blotches, conv_network
from seg_ros import Segmenter
from seg_ros.compile.compile_model import compile_model
from tiny_networks import make_card, saved

folder = Path(sys.argv[1])
card = make_card(5, input={'scale': 1 / 255, 'fit': 'stretch'})
onnx.save(compile_model(saved(conv_network(), folder), card), folder / 'model.onnx')
image = blotches(1)[0]
maps = []
for engine in ('reference', 'onnxruntime'):
    with Segmenter(str(folder / 'model.onnx'), engine=engine) as segmenter:
        assert segmenter.facts.engine == engine
        maps.append(segmenter(image).classes)
assert len(np.unique(maps[0])) > 1
assert (maps[0] != maps[1]).mean() < 0.002
"""
FAMILY = """
from pathlib import Path
import sys

import numpy as np
import onnx
from seg_ros import Segmenter
from seg_ros.compile.compile_model import compile_model
from tiny_networks import make_card, model_of, saved

node = onnx.helper.make_node
model = model_of([node('Abs', ['images'], ['distances'])], [('images', 1, [1, 3, 8, 12])],
                 ['distances'])
folder = Path(sys.argv[1])
card = make_card(3, family='distances', input={'fit': 'stretch'})
onnx.save(compile_model(saved(model, folder), card), folder / 'model.onnx')
image = np.random.default_rng(1).integers(0, 256, (8, 12, 3), np.uint8)
with Segmenter(str(folder / 'model.onnx'), inference_precision='f32') as segmenter:
    assert (segmenter(image).classes == image.argmin(axis=2)).all()
"""
OUTPUT = """
from types import SimpleNamespace

from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.segmentation import Segment
from seg_ros.ros.outputs import OUTPUTS, SKIPPED_PLUGINS

assert SKIPPED_PLUGINS == (), SKIPPED_PLUGINS
(output,) = [output for output in OUTPUTS if output.topic == 'dynamic_count']
card = card_from_dict({'name': 'pair', 'task': 'instance', 'classes': [
    {'id': 3, 'name': 'mug', 'thing': True},
    {'id': 7, 'name': 'person', 'thing': True, 'roles': ['dynamic']},
]})
segments = [Segment(kind, kind, 0.9, (0, 0, 2, 2), 4) for kind in (7, 3, 7)]
view = SimpleNamespace(card=card, segmentation=SimpleNamespace(segments=segments))
assert output.make(view).data == 2
"""
BROKEN = """
from seg_ros.core.settings import Settings
from seg_ros.engines import open_engine
from seg_ros.core.errors import PluginError

try:
    open_engine(Settings(engine='broken'))
except PluginError as error:
    assert 'no library today' in str(error), error
else:
    raise AssertionError('it was opened')
from seg_ros.core.plugins import FAMILIES, load_plugins
loaded, skipped = load_plugins(FAMILIES, taken=('logits',))
assert loaded == {}
assert ['no library today' in words for words in skipped] == [True, False]
assert 'the name is taken' in skipped[1]
"""
BROKEN_OUTPUTS = """
from seg_ros.ros.outputs import SKIPPED_PLUGINS

assert len(SKIPPED_PLUGINS) == 2
assert 'no library today' in SKIPPED_PLUGINS[0]
assert "names 3 instead of a tuple of Output" in SKIPPED_PLUGINS[1]
"""


def run(program: str, *arguments: str, path: list[Path]) -> None:
    searched = os.pathsep.join(map(str, [*path, ROOT]))
    done = subprocess.run(
        [sys.executable, '-c', program, *arguments], text=True, check=False,
        env={**os.environ, 'PYTHONPATH': searched}, capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def installed(page: str, folder: Path) -> Path:
    """Write the files that a page prints, and build what pip would install."""
    setuptools = pytest.importorskip('setuptools', reason='setuptools is not installed')
    if int(setuptools.__version__.split('.')[0]) < 61:
        pytest.skip('setuptools is older than pyproject.toml')
    source, site = folder / 'source', folder / 'site'
    source.mkdir()
    site.mkdir()
    for name, text in FILE.findall((PAGES / page).read_text(encoding='utf-8')):
        (source / name).write_text(text, encoding='utf-8')
    done = subprocess.run(
        [sys.executable, '-c', 'import setuptools; setuptools.setup()', '-q',
         'egg_info', '--egg-base', str(site), 'build_py', '--build-lib', str(site)],
        cwd=source, text=True, check=False, capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return site


def test_the_printed_engine_gives_the_masks_of_onnx_runtime(tmp_path: Path) -> None:
    pytest.importorskip('onnxruntime', reason='onnxruntime is not installed')
    pytest.importorskip('spox', reason='spox, with which models are compiled, is not installed')
    site = installed('engine.md', tmp_path)
    run(ENGINE, str(tmp_path), path=[site, ROOT / 'test' / 'compile'])


def test_the_printed_family_compiles_a_network_of_distances(tmp_path: Path) -> None:
    pytest.importorskip('spox', reason='spox, with which models are compiled, is not installed')
    site = installed('family.md', tmp_path)
    run(FAMILY, str(tmp_path), path=[site, ROOT / 'test' / 'compile'])


@pytest.mark.ros
def test_the_printed_output_counts_what_may_move(tmp_path: Path) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    run(OUTPUT, path=[installed('output.md', tmp_path)])


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Lay out an installed package whose import fails."""
    (tmp_path / 'broken_parts.py').write_text("raise OSError('no library today')\n")
    (tmp_path / 'odd_parts.py').write_text('THREE = 3\n')
    facts = tmp_path / 'broken_parts-1.0.dist-info'
    facts.mkdir()
    (facts / 'METADATA').write_text('Metadata-Version: 2.1\nName: broken-parts\nVersion: 1.0\n')
    (facts / 'entry_points.txt').write_text(
        '[seg_ros.engines]\nbroken = broken_parts:open\n'
        '[seg_ros.families]\nbroken = broken_parts:read\nlogits = odd_parts:THREE\n'
        '[seg_ros.outputs]\nbroken = broken_parts:OUTPUTS\nodd = odd_parts:THREE\n'
    )
    return tmp_path


def test_a_broken_plugin_is_skipped_with_what_its_import_raised(broken: Path) -> None:
    pytest.importorskip('spox', reason='spox, which families need, is not installed')
    run(BROKEN, path=[broken])


@pytest.mark.ros
def test_broken_outputs_leave_the_others_alone(broken: Path) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    run(BROKEN_OUTPUTS, path=[broken])
