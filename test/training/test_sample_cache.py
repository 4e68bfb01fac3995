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

"""The cache of reduced images: what is made anew, and what is removed."""

import os

import cv2
import numpy as np
import pytest
from seg_ros.core.errors import SettingError
from seg_ros.training.label_folder import LabelFolder
from seg_ros.training.sample_cache import open_cached

CLASSES = [{'id': 0, 'name': 'floor'}, {'id': 1, 'name': 'box'}]


def write_folder(folder):
    for kind in ('images', 'labels'):
        (folder / kind).mkdir(parents=True)
        cv2.imwrite(str(folder / kind / 'a.png'), np.eye(64, dtype=np.uint8))
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / 'street')


@pytest.fixture
def cache(tmp_path):
    return tmp_path / 'cache'


def opened(folder, cache, longest=512):
    return open_cached(LabelFolder(folder, CLASSES), cache, longest=longest)


def kept(cache):
    return {path.name for path in cache.iterdir()}


def test_what_was_made_of_a_folder_before_it_changed_is_removed(folder, cache):
    opened(folder, cache)
    opened(folder, cache, longest=32)
    before = kept(cache)
    assert len(before) == 2     # both sizes are of one state
    os.utime(folder / 'labels/a.png', (1, 1))
    opened(folder, cache)
    assert len(kept(cache)) == 1
    assert not kept(cache) & before


def test_what_others_have_in_the_cache_stays(folder, cache, tmp_path):
    others = write_folder(tmp_path / 'more/street'), write_folder(tmp_path / 'street-00000000')
    for other in others:
        opened(other, cache)
    theirs = kept(cache)
    opened(folder, cache)
    mine, = kept(cache) - theirs
    for name in (f'{mine}.old', 'notes', f'x{mine}'):
        (cache / name).mkdir()
    before = kept(cache)
    os.utime(folder / 'labels/a.png', (1, 1))
    opened(folder, cache)
    assert before - kept(cache) == {mine}


@pytest.mark.parametrize('name', [
    'pixels.bin', 'places.npy', 'absent.npy', 'shares.npy', 'unknown.txt',
])
def test_a_cache_that_lacks_a_file_is_made_anew(folder, cache, name):
    opened(folder, cache)
    (next(cache.iterdir()) / name).unlink()
    assert np.array_equal(opened(folder, cache)[0].classes, np.eye(64))
    assert (next(cache.iterdir()) / name).is_file()


@pytest.mark.parametrize('name', ['pixels.bin', 'places.npy', 'absent.npy', 'shares.npy'])
@pytest.mark.parametrize('left', [0, 10])
def test_a_cache_with_a_file_that_is_cut_short_is_made_anew(folder, cache, name, left):
    opened(folder, cache)
    path = next(cache.iterdir()) / name
    path.write_bytes(path.read_bytes()[:left])
    assert np.array_equal(opened(folder, cache)[0].classes, np.eye(64))


def test_a_cache_that_cannot_be_written_is_named(folder, tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(SettingError, match=r'file: .*; expected a folder .* --cache'):
        opened(folder, tmp_path / 'file')
