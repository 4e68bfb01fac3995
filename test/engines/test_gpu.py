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

"""The GPU is found by querying only the driver."""

from ctypes import byref, c_void_p
from dataclasses import asdict

import pytest
from seg_ros.core.errors import EngineError
from seg_ros.engines.cuda import gpu, libcuda
from seg_ros.engines.cuda.gpu import find_gpu, may_have_gpu

TEGRA = '# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n'
CLOSED = 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024'
OPEN = 'NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  540.4.0  Release Build'


@pytest.fixture
def releases(monkeypatch, tmp_path):
    """Return the paths of the files that name the driver's release, in a temporary folder."""
    files = [tmp_path / 'nv_tegra_release', tmp_path / 'version']
    patterns = [pattern for _, pattern in gpu.RELEASES]
    monkeypatch.setattr(gpu, 'RELEASES', tuple(zip(files, patterns, strict=True)))
    return files


def test_a_gpu_is_described_without_a_context(fake_gpu, releases):
    fake_gpu.fake_gpus(2)
    assert asdict(find_gpu('cuda:1')) == {
        'index': 1, 'name': 'Fake GPU 1', 'compute_capability': '8.7', 'driver': 'CUDA 12.6',
        'integrated': False, 'memory_mib': 8192,
    }
    context = c_void_p()
    fake_gpu.cuCtxGetCurrent(byref(context))
    assert not context


@pytest.mark.parametrize(('tegra', 'version', 'driver'), [
    (TEGRA, OPEN, 'R36.4.3, CUDA 12.6'),
    ('', OPEN, '540.4.0, CUDA 12.6'),
    ('', CLOSED, '550.54.14, CUDA 12.6'),
    ('', 'nothing of the kind', 'CUDA 12.6'),
])
def test_the_drivers_release_is_read_from_where_the_machine_keeps_it(
    fake_gpu, releases, tegra, version, driver
):
    for file, text in zip(releases, (tegra, version), strict=True):
        if text:
            file.write_text(text)
    assert find_gpu().driver == driver


@pytest.mark.parametrize(('device', 'index'), [
    ('auto', 0), ('cuda', 0), ('cuda:0', 0), ('CUDA:0', 0),
])
def test_devices_are_named_as_users_know_them(fake_gpu, device, index):
    assert find_gpu(device).index == index


@pytest.mark.parametrize('device', [
    'CPU', 'GPU', 'cuda:', 'cuda:-1', 'cuda:x', '', 'cuda:' + '9' * 5000,
])
def test_other_names_are_refused(fake_gpu, device):
    with pytest.raises(EngineError, match='auto, cuda or cuda:N'):
        find_gpu(device)


def test_a_number_that_no_gpu_has_is_refused(fake_gpu):
    with pytest.raises(EngineError, match='one of 1 GPUs'):
        find_gpu('cuda:1')


def test_a_jetson_shares_its_memory(fake_gpu):
    fake_gpu.fake_integrated(1)
    assert find_gpu().integrated


def test_a_machine_without_a_gpu_says_so(fake_gpu):
    fake_gpu.fake_gpus(0)
    with pytest.raises(EngineError, match='no CUDA-capable device is detected'):
        find_gpu()


def test_a_machine_without_a_driver_says_what_to_install(monkeypatch):
    libcuda.libcuda.cache_clear()
    monkeypatch.setattr(libcuda, 'NAME', 'libcuda-of-nobody.so.1')
    with pytest.raises(EngineError, match=r'install the driver.*; without a GPU set engine'):
        find_gpu()
    libcuda.libcuda.cache_clear()


def test_a_driver_that_lacks_a_function_is_to_be_updated(fake_gpu):
    with pytest.raises(EngineError, match='without cuOfTomorrow'):
        libcuda.call('cuOfTomorrow')


@pytest.mark.parametrize(('vendors', 'traces', 'driver', 'expected'), [
    (['0x8086', '0x1af4'], 0, False, False),
    (['0x8086', '0x1af4'], 0, True, True),
    (['0x8086', '0x10de'], 0, False, True),     # a GPU without a driver
    ([], 0, False, True),                       # no devices are listed: there may be a GPU
    (['0x8086'], 1, False, True),
])
def test_a_gpu_is_expected_where_there_is_one_or_a_driver_or_nothing_to_see(
    monkeypatch, tmp_path, vendors, traces, driver, expected
):
    for index, vendor in enumerate(vendors):
        (tmp_path / str(index)).mkdir()
        (tmp_path / str(index) / 'vendor').write_text(f'{vendor}\n')

    def load():
        if not driver:
            raise EngineError('no NVIDIA driver')

    monkeypatch.setattr(gpu, 'libcuda', load)
    monkeypatch.setattr(gpu, 'PCI_DEVICES', tmp_path)
    monkeypatch.setattr(gpu, 'GPU_TRACES', (tmp_path,) * traces)
    assert may_have_gpu() == expected
