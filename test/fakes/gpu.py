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

"""Fixtures of a machine with a GPU: stand-ins for the driver, pycuda and TensorRT."""

from ctypes import c_char_p, c_long, c_size_t, CDLL, RTLD_GLOBAL
from importlib.util import find_spec
import os
from pathlib import Path
import shutil
import subprocess
import sys
import warnings

import pytest

FAKES = Path(__file__).parent
UPLOAD, KERNEL, DOWNLOAD, RECORD, WAIT, GRAPH = range(6)
ILLEGAL_ADDRESS = 700


@pytest.fixture(scope='session')
def driver_folder(tmp_path_factory):
    """Compile the driver's stand-in, with what a pycuda that is installed wants beyond it."""
    compiler = shutil.which('gcc')
    if not compiler:
        pytest.skip('gcc is not installed, which compiles the stand-in for the driver')
    folder = tmp_path_factory.mktemp('driver')
    library = folder / 'libcuda.so.1'
    sources = [str(FAKES / 'libcuda.c')]
    command = [compiler, '-O1', '-w', '-shared', '-fPIC', '-pthread', '-Wl,-soname,libcuda.so.1']
    subprocess.run([*command, *sources, '-o', library], check=True)
    missing = sorted(_wanted() - _names(library, '--defined-only'))
    if missing:
        stubs = folder / 'stubs.c'
        stubs.write_text(''.join(f'int {name}(void) {{ return 801; }}\n' for name in missing))
        subprocess.run([*command, *sources, stubs, '-o', library], check=True)
    return folder


def _wanted():
    """Return the driver's functions that an installed pycuda links against."""
    spec = find_spec('pycuda')
    folders = spec.submodule_search_locations if spec and spec.origin else []
    files = [file for folder in folders for file in Path(folder).glob('_driver*.so')]
    return {name for file in files for name in _names(file, '--undefined-only')}


def _names(file, kind):
    done = subprocess.run(
        ['nm', '-D', kind, file], check=True, stdout=subprocess.PIPE, text=True
    )
    words = {line.split()[-1].partition('@')[0] for line in done.stdout.splitlines()}
    return {word for word in words if word.startswith('cu') and word[2:3].isupper()}


@pytest.fixture(scope='session')
def driver_library(driver_folder):
    """
    Load the stand-in: by its soname it is what this process gets as `libcuda.so.1` from now on.

    It shows no GPU but in tests that ask for one.
    """
    CDLL(str(driver_folder / 'libcuda.so.1'), RTLD_GLOBAL)
    library = CDLL('libcuda.so.1')
    if not hasattr(library, 'fake_gpus'):
        pytest.skip("this process has loaded a real GPU's driver")
    library.fake_misuse.restype = c_char_p
    library.fake_held.restype = library.fake_done.restype = c_long
    library.fake_used.restype = c_size_t
    library.fake_room.argtypes = [c_size_t]
    library.fake_delay.argtypes = [c_long, c_long]
    return library


@pytest.fixture
def fake_gpu(driver_library, driver_folder, monkeypatch):
    """
    Give the test a machine with a GPU, pycuda and TensorRT, and look afterwards what is left.

    :returns: the driver's stand-in, to ask and to break.
    """
    driver_library.fake_start()
    driver_library.fake_gpus(1)
    monkeypatch.syspath_prepend(FAKES)
    for name, value in environment(driver_folder).items():
        monkeypatch.setenv(name, value)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter('always')
        yield driver_library
    driver_library.fake_gpus(0)
    for name in list(sys.modules):
        if name.partition('.')[0] == 'tensorrt':
            del sys.modules[name]
    words = [str(item.message) for item in warned if item.category is UserWarning]
    assert not words, words
    misuse = driver_library.fake_misuse().decode()
    assert not misuse, misuse
    held = driver_library.fake_held()
    assert not held, f'{held} things were never released'


def environment(driver_folder):
    """Return what makes another process see the same machine."""
    paths = {'PYTHONPATH': FAKES, 'LD_LIBRARY_PATH': driver_folder}
    return {
        'FAKE_CUDA_GPUS': '1',
        **{
            name: os.pathsep.join(filter(None, [str(path), os.environ.get(name, '')]))
            for name, path in paths.items()
        },
    }
