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

"""Cached plans: any changed byte is detected, and only this user's own files are used."""

from hashlib import sha256
import os
from pathlib import Path
from threading import Event, Thread

import pytest
from seg_ros.core.errors import EngineError, PlanError
from seg_ros.engines.private_folder import PrivateFolder
from seg_ros.engines.tensorrt.build_options import BuildOptions
from seg_ros.engines.tensorrt.cache_key import CacheKey, Machine
from seg_ros.engines.tensorrt.plan_cache import PlanCache

ORIN = Machine('tensorrt', '10.3.0', 'Orin', '8.7', '540.4.0, CUDA 12.6')
XAVIER = Machine('tensorrt', '10.3.0', 'Xavier', '7.2', '540.4.0, CUDA 12.6')
RECIPE = CacheKey('f00d', 'fp16', ('labels',), ORIN, BuildOptions('tensorrt', 2))
PLAN = bytes(range(256)) * 4


def open_folder(path: Path) -> PlanCache:
    return PlanCache(PrivateFolder(path))


def put(cache: PlanCache, cache_key: CacheKey = RECIPE, plan: bytes = PLAN) -> None:
    with cache.folder.temporary_folder() as folder:
        file = folder / 'plan'
        file.write_bytes(plan)
        assert cache.store(cache_key, file, 'tiny', 12.34, ['a note']) == plan


@pytest.fixture
def cache(tmp_path: Path) -> PlanCache:
    cache = open_folder(tmp_path / 'cache')
    put(cache)
    return cache


def file_of(cache: PlanCache, suffix: str, cache_key: CacheKey = RECIPE) -> Path:
    return cache.folder.path / (cache_key.key + suffix)


def test_a_plan_comes_back_to_an_equal_recipe(cache: PlanCache) -> None:
    same = CacheKey('f00d', 'fp16', ('labels',), ORIN, BuildOptions('tensorrt', 2))
    assert cache.load(same) == PLAN
    facts = cache.facts(same)
    assert facts['model'] == 'tiny'
    assert facts['build_s'] == 12.3
    assert facts['notes'] == ['a note']


@pytest.mark.parametrize('other', [
    CacheKey('f00e', 'fp16', ('labels',), ORIN, BuildOptions('tensorrt', 2)),
    CacheKey('f00d', 'int8', ('labels',), ORIN, BuildOptions('tensorrt', 2)),
    CacheKey('f00d', 'fp16', ('labels_640x480',), ORIN, BuildOptions('tensorrt', 2)),
    CacheKey('f00d', 'fp16', ('labels',), XAVIER, BuildOptions('tensorrt', 2)),
    CacheKey('f00d', 'fp16', ('labels',), ORIN, BuildOptions('tensorrt', 1)),
    CacheKey('f00d', 'fp16', ('labels',), ORIN, BuildOptions('tensorrt', 2, 512)),
    CacheKey('f00d', 'fp16', ('labels',), ORIN, BuildOptions('tensorrt', 2, 0, 5)),
    CacheKey('f00d', 'fp16', ('labels',), ORIN, BuildOptions('tensorrt', 2), '0.0.0'),
], ids=lambda cache_key: '')
def test_whatever_changes_the_plan_changes_the_key(cache: PlanCache, other: CacheKey) -> None:
    assert cache.load(other) is None


def test_every_flipped_byte_of_what_is_noted_is_noticed(cache: PlanCache) -> None:
    file = file_of(cache, '.json')
    text = file.read_bytes()
    for index in range(len(text)):
        flipped = bytearray(text)
        flipped[index] ^= 1
        file.write_bytes(flipped)
        with pytest.raises(PlanError):
            cache.load(RECIPE)
    file.write_bytes(text)
    assert cache.load(RECIPE) == PLAN


@pytest.mark.parametrize('index', [0, 511, len(PLAN) - 1])
def test_a_flipped_byte_of_a_plan_is_noticed(cache: PlanCache, index: int) -> None:
    plan = bytearray(PLAN)
    plan[index] ^= 0x10
    file_of(cache, '.plan').write_bytes(plan)
    with pytest.raises(PlanError, match='altered'):
        cache.load(RECIPE)


@pytest.mark.parametrize('suffix', ['.plan', '.json'])
def test_half_of_what_belongs_together_is_noticed(cache: PlanCache, suffix: str) -> None:
    file_of(cache, suffix).unlink()
    with pytest.raises(PlanError):
        cache.load(RECIPE)


def test_the_plan_of_another_model_under_this_ones_name_is_noticed(cache: PlanCache) -> None:
    other = CacheKey('beef', 'fp16', ('labels',), ORIN, BuildOptions('tensorrt', 2))
    for suffix in ('.plan', '.json'):
        os.rename(file_of(cache, suffix), file_of(cache, suffix, other))
    with pytest.raises(PlanError, match='another model'):
        cache.load(other)


@pytest.mark.parametrize('mode', [0o620, 0o602])
@pytest.mark.parametrize('suffix', ['.plan', '.json'])
def test_a_file_that_others_can_write_to_is_not_read(
    cache: PlanCache, suffix: str, mode: int
) -> None:
    file_of(cache, suffix).chmod(mode)
    with pytest.raises(PlanError, match='writable by others'):
        cache.load(RECIPE)


def test_a_link_is_not_followed(cache: PlanCache, tmp_path: Path) -> None:
    elsewhere = tmp_path / 'elsewhere'
    file = file_of(cache, '.plan')
    os.rename(file, elsewhere)
    file.symlink_to(elsewhere)
    with pytest.raises(PlanError, match='not a regular file'):
        cache.load(RECIPE)


def give_away(folder: Path, owner: int) -> None:
    for path in (folder, *folder.rglob('*')):
        os.chown(path, owner, owner)


@pytest.mark.skipif(os.geteuid() != 0, reason='only root may give files away')
def test_a_folder_of_root_is_trusted_as_a_container_has_it(
    cache: PlanCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, 'geteuid', lambda: 4242)
    assert open_folder(cache.folder.path).load(RECIPE) == PLAN


def test_another_users_folder_is_refused_with_what_to_do(
    cache: PlanCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:
        give_away(cache.folder.path, 1000)
    monkeypatch.setattr(os, 'geteuid', lambda: 4242)
    with pytest.raises(PlanError, match='not to 4242'):
        cache.load(RECIPE)
    with pytest.raises(EngineError, match=r'run: chown 4242 .*name another cache_dir'):
        open_folder(cache.folder.path)


@pytest.mark.parametrize('mode', [0o770, 0o702, 0o1777])
def test_a_folder_that_others_can_write_to_is_refused_with_what_to_do(
    tmp_path: Path, mode: int
) -> None:
    folder = tmp_path / 'shared'
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(EngineError, match=f'run: chmod go-w {folder}'):
        open_folder(folder)


def test_a_folder_of_ours_is_for_this_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        cache = open_folder(tmp_path / 'deep' / 'cache')
        put(cache)
    finally:
        os.umask(before)
    assert cache.folder.path.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in cache.folder.path.iterdir()} == {0o600}
    assert cache.load(RECIPE) == PLAN


def test_a_folder_behind_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'real').mkdir(mode=0o700)
    (tmp_path / 'link').symlink_to(tmp_path / 'real')
    with pytest.raises(EngineError, match='is a link'):
        open_folder(tmp_path / 'link')


@pytest.mark.parametrize('name', ['file', 'file/cache'])
def test_a_place_that_takes_no_folder_is_one_clear_error(tmp_path: Path, name: str) -> None:
    (tmp_path / 'file').write_bytes(b'')
    with pytest.raises(EngineError, match=r'cannot be used .*; name another cache_dir'):
        open_folder(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
def test_a_folder_without_leave_to_write_is_one_clear_error(cache: PlanCache) -> None:
    cache.folder.path.chmod(0o500)
    try:
        with pytest.raises(EngineError, match='Permission denied'):
            put(cache)
    finally:
        cache.folder.path.chmod(0o700)


def test_timings_come_back_for_their_machine_alone(cache: PlanCache) -> None:
    assert cache.timing(ORIN) == b''
    cache.keep_timing(ORIN, b'measured')
    assert cache.timing(ORIN) == b'measured'
    assert cache.timing(XAVIER) == b''
    file = cache.folder.path / f'{ORIN.key}.timing'
    assert file.read_bytes() == sha256(b'measured').digest() + b'measured'
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(PlanError, match='timing cache was altered'):
        cache.timing(ORIN)


def test_pruning_takes_what_does_not_fit_and_leaves_what_does(cache: PlanCache) -> None:
    others = [
        CacheKey('f00d', 'fp16', ('labels',), XAVIER, BuildOptions('tensorrt', 2)),
        CacheKey('f00d', 'fp16', ('labels',), ORIN, BuildOptions('tensorrt', 2), '0.0.0'),
    ]
    orphans = [CacheKey(name, '', (), ORIN, BuildOptions('tensorrt')) for name in 'ab']
    for cache_key in (*others, *orphans):
        put(cache, cache_key)
    file_of(cache, '.json', orphans[0]).unlink()
    file_of(cache, '.plan', orphans[1]).write_bytes(b'cut short')
    for machine in (ORIN, XAVIER):
        cache.keep_timing(machine, b'measured')
    (cache.folder.path / 'part-left').mkdir()
    (cache.folder.path / 'part-left' / 'plan').write_bytes(b'12345')
    (cache.folder.path / 'openvino').mkdir()
    removed = {item.name: item for item in cache.prune([ORIN])}
    assert set(removed) == {
        *(cache_key.key for cache_key in (*others, *orphans)), f'{XAVIER.key}.timing', 'part-left'
    }
    assert removed['part-left'].size_bytes == 5
    assert 'Xavier' in removed[others[0].key].reason
    assert {path.name for path in cache.folder.path.iterdir()} == {
        f'{RECIPE.key}.plan', f'{RECIPE.key}.json', f'{ORIN.key}.timing', 'openvino'
    }
    assert cache.prune([ORIN]) == []


def test_without_a_gpu_plans_of_other_machines_stay(cache: PlanCache) -> None:
    cache.keep_timing(XAVIER, b'measured')
    assert cache.prune([]) == []
    (plan,) = cache.kept([])
    assert plan.flaw == ''
    (plan,) = cache.kept([XAVIER])
    assert 'Orin' in plan.flaw


def test_a_second_one_waits_for_the_lock_and_learns_whose_it_is(cache: PlanCache) -> None:
    phases, waits, got_it = [], Event(), Event()

    def report(phase: str, share: float) -> None:
        phases.append(phase)
        waits.set()

    def second() -> None:
        with cache.folder.locked('which waited', report):
            got_it.set()

    thread = Thread(target=second)
    with cache.folder.locked('which builds tiny'):
        thread.start()
        assert waits.wait(60)
        assert not got_it.is_set()
    thread.join(60)
    assert got_it.is_set()
    assert phases[0] == f'waiting for process {os.getpid()}, which builds tiny'


def test_waiting_for_the_lock_can_be_cancelled(cache: PlanCache) -> None:
    with (
        cache.folder.locked('which builds tiny'),
        pytest.raises(EngineError, match='cancelled'),
        cache.folder.locked('which waits', cancelled=lambda: True),
    ):
        pytest.fail('there were two locks')
    with cache.folder.locked('which comes later', cancelled=lambda: True):
        pass
