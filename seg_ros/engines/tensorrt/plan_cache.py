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

"""
The cache of TensorRT plans, each with a JSON file that describes it.

The JSON holds hashes of the plan and of itself, which detect accidental changes. `PrivateFolder`
protects against other users.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from hashlib import sha256
import json
from pathlib import Path
from typing import Any

from seg_ros import __version__
from seg_ros.core.errors import PlanError
from seg_ros.engines.private_folder import PrivateFolder
from seg_ros.engines.tensorrt.cache_key import CacheKey, Machine

PLAN, SIDECAR, TIMING = '.plan', '.json', '.timing'
DIGEST_BYTES = 32


@dataclass(frozen=True)
class Kept:
    """
    One plan in the cache.

    :param key: name of its files, without suffix.
    :param flaw: why it cannot be used here; empty if it can.
    :param facts: content of its JSON file; empty if that cannot be read.
    """

    key: str
    size_bytes: int
    flaw: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Removed:
    """An item that `prune` removed, and why."""

    name: str
    reason: str
    size_bytes: int


class PlanCache:
    """Plans by `CacheKey`; callers hold `folder.locked` while they modify it."""

    def __init__(self, folder: PrivateFolder) -> None:
        self.folder = folder

    def load(self, cache_key: CacheKey) -> bytes | None:
        """
        Return the plan, or None if it is not in the cache.

        :raises PlanError: if it is in the cache but must not be used.
        """
        key = cache_key.key
        plan, text = (self.folder.read(key + suffix) for suffix in (PLAN, SIDECAR))
        if plan is None and text is None:
            return None
        facts = _facts(text)
        if facts['recipe'] != _plain(cache_key):
            raise PlanError('the cached plan is for another model or machine')
        if plan is None or facts['plan_sha256'] != sha256(plan).hexdigest():
            raise PlanError('the cached plan was altered or truncated')
        return plan

    def store(
        self, cache_key: CacheKey, file: Path, model: str, build_s: float, notes: Sequence[str]
    ) -> bytes:
        """
        Move a new plan into the cache.

        :param file: the plan, on the same file system.
        :param model: name of the model, for display.
        :param build_s: build time in seconds.
        :returns: the plan.
        """
        with self.folder.errors():
            plan = file.read_bytes()
        facts = {
            'model': model,
            'built': datetime.now(timezone.utc).isoformat(timespec='seconds'),
            'build_s': round(build_s, 1),
            'notes': list(notes),
            'plan_bytes': len(plan),
            'plan_sha256': sha256(plan).hexdigest(),
            'recipe': _plain(cache_key),
        }
        self.folder.adopt(file, cache_key.key + PLAN)
        self.folder.write(cache_key.key + SIDECAR, _text(facts))
        return plan

    def facts(self, cache_key: CacheKey) -> Mapping[str, Any]:
        """
        Return the description of a plan.

        :raises PlanError: if there is none or its JSON was altered.
        """
        return _facts(self.folder.read(cache_key.key + SIDECAR))

    def remove(self, cache_key: CacheKey) -> None:
        """Remove a plan, if there is one."""
        for suffix in (SIDECAR, PLAN):
            self.folder.remove(cache_key.key + suffix)

    def timing(self, machine: Machine) -> bytes:
        """
        Return TensorRT's timing cache for a machine; empty before the first build.

        :raises PlanError: if it must not be used.
        """
        data = self.folder.read(machine.key + TIMING) or b''
        digest, timing = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
        if data and digest != sha256(timing).digest():
            raise PlanError("TensorRT's timing cache was altered or truncated")
        return timing

    def keep_timing(self, machine: Machine, timing: bytes) -> None:
        """Store TensorRT's timing cache for a machine."""
        if timing:
            self.folder.write(machine.key + TIMING, sha256(timing).digest() + timing)

    def kept(self, machines: Collection[Machine]) -> list[Kept]:
        """
        Return all plans, the newest last.

        :param machines: machines whose plans can run here; if empty, this is not checked.
        """
        with self.folder.errors():
            names = {
                path.stem for path in self.folder.path.iterdir()
                if path.suffix in (PLAN, SIDECAR)
            }
        plans = [self._kept(key, machines) for key in names]
        return sorted(plans, key=lambda plan: (plan.facts.get('built', ''), plan.key))

    def _kept(self, key: str, machines: Collection[Machine]) -> Kept:
        files = [self.folder.path / (key + suffix) for suffix in (PLAN, SIDECAR)]
        size = sum(_size(file) for file in files)
        try:
            facts = _facts(self.folder.read(key + SIDECAR))
        except PlanError as error:
            return Kept(key, size, str(error), {})
        flaw = ''
        if _size(files[0]) != facts['plan_bytes']:
            flaw = 'the plan is missing or truncated'
        elif facts['recipe']['seg_ros'] != __version__:
            flaw = f'for seg_ros {facts["recipe"]["seg_ros"]}'
        elif machines and (built_for := Machine(**facts['recipe']['machine'])) not in machines:
            flaw = f'for {built_for}'
        return Kept(key, size, flaw, facts)

    def prune(self, machines: Collection[Machine]) -> list[Removed]:
        """
        Remove plans that cannot be used here, and files of unfinished builds.

        :param machines: as for `kept`.
        """
        removed = [
            Removed(key, reason, size) for key, reason, size in self._unusable(machines)
        ]
        for item in removed:
            for suffix in ('', SIDECAR, PLAN):
                self.folder.remove(item.name + suffix)
        return removed

    def _unusable(self, machines: Collection[Machine]) -> list[tuple[str, str, int]]:
        path = self.folder.path
        plans = [
            (plan.key, plan.flaw, plan.size_bytes) for plan in self.kept(machines) if plan.flaw
        ]
        timings = [
            (file.name, 'timing cache of another machine', _size(file))
            for file in sorted(path.glob(f'*{TIMING}'))
            if machines and file.stem not in {machine.key for machine in machines}
        ]
        parts = [
            (name, 'left by an unfinished build', _size(path / name))
            for name in self.folder.leftovers()
        ]
        return plans + timings + parts


def _plain(cache_key: CacheKey) -> Any:
    """Return a key as parsed from JSON: lists in place of tuples."""
    return json.loads(json.dumps(asdict(cache_key)))


def _text(facts: Mapping[str, Any]) -> bytes:
    """Return facts as JSON with a checksum; the same facts give the same bytes."""
    digest = sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return json.dumps({**facts, 'sha256': digest}, indent=1, sort_keys=True).encode()


def _facts(text: bytes | None) -> dict[str, Any]:
    """
    Parse the JSON that `_text` wrote.

    :raises PlanError: if it is missing or any byte has changed.
    """
    if text is None:
        raise PlanError('the cached plan has no JSON file')
    try:
        facts = dict(json.loads(text))
        facts.pop('sha256', None)
    except (ValueError, TypeError):
        facts = {}
    if not facts or _text(facts) != text:
        raise PlanError("the cached plan's JSON file was altered or truncated")
    return facts


def _size(path: Path) -> int:
    """Return the size of a file, or of all files in a folder, in bytes."""
    files = [path, *path.rglob('*')] if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.is_file())
