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

"""A file is there whole or as it was before, and nothing else is touched."""

import os
from pathlib import Path
import resource
import subprocess
import sys

import pytest
from seg_ros.compile.onnx_file import read_onnx
from seg_ros.core.card_reading import read_card
from seg_ros.core.errors import CardError, ModelError, SettingError
from seg_ros.core.onnx_metadata import read_metadata
from seg_ros.core.whole_file import check_output, write_whole
from seg_ros.params_file import sections


def test_a_file_is_written_and_written_over(tmp_path):
    path = tmp_path / 'a.bin'
    for data in (b'one', b'', b'two' * 10000):
        write_whole(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_it_has_the_rights_that_a_new_file_has(tmp_path):
    write_whole(tmp_path / 'a', b'')
    (tmp_path / 'b').write_bytes(b'')
    assert (tmp_path / 'a').stat().st_mode == (tmp_path / 'b').stat().st_mode


FILLED = """
import resource, sys
from pathlib import Path
from seg_ros.core.errors import SegError
from seg_ros.core.whole_file import write_whole
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_whole(Path(sys.argv[1]), bytes(2000))
except SegError as error:
    print(error)
"""


@pytest.mark.parametrize('before', [None, b'a good model'])
def test_a_disk_that_takes_only_a_part_leaves_what_was_there(before, tmp_path):
    path = tmp_path / 'm.onnx'
    if before is not None:
        path.write_bytes(before)
    done = subprocess.run(
        [sys.executable, '-c', FILLED, str(path)], check=True, text=True, capture_output=True,
        env={**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2])},
    )
    assert 'm.onnx cannot be written (File too large)' in done.stdout
    assert [item.read_bytes() for item in tmp_path.iterdir()] == [before][:before is not None]


def test_a_link_is_neither_followed_nor_replaced(tmp_path):
    target, link = tmp_path / 'precious', tmp_path / 'out'
    target.write_bytes(b'precious')
    link.symlink_to(target)
    with pytest.raises(SettingError, match='is a link, which is not followed'):
        write_whole(link, b'data')
    assert target.read_bytes() == b'precious'
    assert link.is_symlink()


def test_a_link_to_nothing_is_not_followed_either(tmp_path):
    (tmp_path / 'out').symlink_to(tmp_path / 'made')
    with pytest.raises(SettingError, match='link'):
        write_whole(tmp_path / 'out', b'data')
    assert not (tmp_path / 'made').exists()


@pytest.mark.parametrize('path', ['/dev/null', '/dev', '/', ''])
def test_devices_and_folders_are_refused(path):
    with pytest.raises(SettingError, match=r'is a (folder|device)'):
        write_whole(Path(path), b'data')


@pytest.mark.parametrize('path', ['a\0b', 'x' * 300, 'none/m.onnx', 'file/m.onnx'])
def test_names_that_cannot_be_are_refused(path, tmp_path):
    (tmp_path / 'file').write_bytes(b'')
    with pytest.raises(SettingError, match='cannot be written'):
        write_whole(tmp_path / path, b'data')
    assert [item.name for item in tmp_path.iterdir()] == ['file']


def test_an_input_is_never_written_over_by_whatever_name(tmp_path):
    raw = tmp_path / 'raw.onnx'
    raw.write_bytes(b'raw')
    (tmp_path / 'folder').mkdir()
    os.link(raw, tmp_path / 'twin.onnx')
    (tmp_path / 'link.onnx').symlink_to(raw)
    for path in (raw, tmp_path / 'twin.onnx', tmp_path / 'link.onnx',
                 tmp_path / 'folder' / '..' / 'raw.onnx'):
        with pytest.raises(SettingError, match='is the input'):
            check_output(path, [tmp_path / 'missing', raw])
    check_output(tmp_path / 'new.onnx', [raw])


def test_the_limit_of_this_process_is_as_it_was():
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


READERS = {
    'card': (read_card, CardError), 'metadata': (read_metadata, ModelError),
    'parameters': (lambda path: list(sections(path)), SettingError),
    'network': (read_onnx, ModelError),
}


@pytest.mark.parametrize('reader', READERS)
@pytest.mark.parametrize('name', ['pipe', '/dev/zero'])
def test_a_pipe_is_not_waited_for_and_a_device_not_read_to_its_end(reader, name, tmp_path):
    read, error = READERS[reader]
    path = tmp_path / name
    if name == 'pipe':
        os.mkfifo(path)
    with pytest.raises(error, match='a device, a pipe or a socket'):
        read(path)
