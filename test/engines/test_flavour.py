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

"""Which TensorRT is used, and the reason reported for one that cannot be."""

from collections.abc import Iterator
from pathlib import Path
import sys

import pytest
from seg_ros.core.errors import EngineError
from seg_ros.engines.tensorrt import flavour
from seg_ros.engines.tensorrt.flavour import load_flavour

MODULES = ('tensorrt', 'tensorrt_rtx')


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder, empty at first, in which alone TensorRT modules are found."""
    before = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(
        flavour, 'find_spec', lambda name: (tmp_path / f'{name}.py').exists() or None
    )
    yield tmp_path
    for name in MODULES:
        sys.modules.pop(name, None)
    sys.modules.update(before)


def test_the_full_tensorrt_goes_first(site: Path) -> None:
    (site / 'tensorrt_rtx.py').write_text("__version__ = '1.7.1.116'")
    found = load_flavour()
    assert (found.name, found.version, found.major) == ('tensorrt_rtx', '1.7.1.116', 1)
    (site / 'tensorrt.py').write_text("__version__ = '10.16.2.1'")
    found = load_flavour()
    assert (found.name, found.version, found.major) == ('tensorrt', '10.16.2.1', 10)
    assert load_flavour('tensorrt_rtx').name == 'tensorrt_rtx'


def test_none_at_all_is_an_error_that_says_what_to_install(site: Path) -> None:
    with pytest.raises(EngineError, match='pip install tensorrt'):
        load_flavour()


@pytest.mark.parametrize('failure', [
    "raise ImportError('libnvinfer.so.10: no such file')",
    "raise OSError('libnvinfer.so.10: no such file')",
    "raise RuntimeError('libnvinfer.so.10: no such file')",
    "raise ValueError('libnvinfer.so.10: no such file')",
    "raise AttributeError('libnvinfer.so.10: no such file')",
])
def test_one_that_does_not_load_is_an_error_in_its_own_words(site: Path, failure: str) -> None:
    (site / 'tensorrt.py').write_text(failure)
    with pytest.raises(EngineError, match=r'does not work.*libnvinfer.so.10'):
        load_flavour()


@pytest.mark.parametrize(('version', 'typed'), [('8.6.1', False), ('10.0.1', True)])
def test_a_version_decides_whether_its_networks_have_types(
    site: Path, version: str, typed: bool
) -> None:
    (site / 'tensorrt.py').write_text(f'__version__ = {version!r}')
    assert load_flavour().typed is typed


@pytest.mark.parametrize('version', ['7.1.3', '8.5.2.2', '8.60.1', '9.3.0'])
def test_a_version_that_nobody_tried_is_refused(site: Path, version: str) -> None:
    (site / 'tensorrt.py').write_text(f'__version__ = {version!r}')
    with pytest.raises(EngineError, match=f'TensorRT {version}.*8.6, or 10.0 or later.*JetPack 6'):
        load_flavour()


@pytest.mark.parametrize('source', ['', '__version__ = None', "__version__ = 'unknown'"])
def test_one_without_a_version_is_an_error_too(site: Path, source: str) -> None:
    (site / 'tensorrt.py').write_text(source)
    with pytest.raises(EngineError, match='tensorrt is installed but does not work'):
        load_flavour()


@pytest.mark.parametrize('version', ['10', '10rc1', '11.0.0a3+cu13'])
def test_any_version_that_begins_with_a_number_is_read(site: Path, version: str) -> None:
    (site / 'tensorrt.py').write_text(f'__version__ = {version!r}')
    assert load_flavour().major in (10, 11)
