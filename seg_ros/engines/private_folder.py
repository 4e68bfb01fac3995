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

"""A folder that only this user and root can write to, since the plans in it are executed."""

from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import flock, LOCK_EX, LOCK_NB
from hashlib import sha256
import json
import os
from pathlib import Path
from shutil import rmtree
from stat import S_ISDIR, S_ISREG
from tempfile import mkdtemp
from time import sleep

from seg_ros.core.errors import EngineError, PlanError
from seg_ros.core.progress import Cancelled, never, Report, silent

LOCK, PART, SEAL = 'lock', 'part-', 'digests.json'
OTHERS_WRITE, OTHERS_ENTER = 0o022, 0o011
ROOT = 0    # is trusted: it can change any file
POLL_S = 0.2


class PrivateFolder:
    """
    A private folder of files, each of which is written atomically.

    :param path: created if missing, with access for this user only.
    :raises EngineError: if users other than root can write to it, or it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self.errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700, exist_ok=True)
            facts = path.lstat()
        if not S_ISDIR(facts.st_mode):
            raise EngineError(
                f'{path} is a link', 'a folder', 'name the folder itself in cache_dir'
            )
        flaw = _flaw(facts)
        if flaw:
            ours = facts.st_uid in (os.geteuid(), ROOT)
            cure = 'chmod go-w' if ours else f'chown {os.geteuid()}'
            raise EngineError(
                f'{path} {flaw}; another user could put code there that runs as you',
                'a folder that you alone can write to',
                f'run: {cure} {path}, or name another cache_dir',
            )

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn errors of the file system into EngineError."""
        try:
            yield
        except OSError as error:
            raise EngineError(
                f'{self.path} cannot be used ({error.strerror})',
                'a writable folder with free space', 'name another cache_dir',
            ) from error

    def read(self, name: str) -> bytes | None:
        """
        Read a file.

        :returns: None if it does not exist.
        :raises PlanError: if it is not a regular file, or others own it or can write to it.
        """
        path = self.path / name
        try:
            facts = path.lstat()
        except FileNotFoundError:
            return None
        if not S_ISREG(facts.st_mode):
            raise PlanError(f'{path} is not a regular file')
        with self.errors(), open(
            os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), 'rb'
        ) as file:
            if flaw := _flaw(os.fstat(file.fileno())):
                raise PlanError(f'{path} {flaw}')
            return file.read()

    def write(self, name: str, data: bytes) -> None:
        """Write a file atomically."""
        with self.temporary_folder() as folder, self.errors():
            (folder / name).write_bytes(data)
            self.adopt(folder / name, name)

    def adopt(self, file: Path, name: str) -> None:
        """Move a file on the same file system into the folder."""
        with self.errors():
            file.chmod(0o600)
            os.replace(file, self.path / name)

    def remove(self, name: str) -> None:
        """Remove a file or a temporary folder, if it exists."""
        path = self.path / name
        with self.errors():
            if path.is_dir() and not path.is_symlink():
                rmtree(path)
            else:
                path.unlink(missing_ok=True)

    @contextmanager
    def temporary_folder(self) -> Iterator[Path]:
        """Create a temporary folder here, and remove it at the end of the block."""
        with self.errors():
            folder = mkdtemp(dir=self.path, prefix=PART)
        try:
            yield Path(folder)
        finally:
            rmtree(folder, ignore_errors=True)

    def check_files(self) -> None:
        """
        Check all files for access by others, for a library that opens them itself.

        :raises PlanError: as `read` does.
        """
        with self.errors():
            # Others cannot enter a closed folder, whatever the modes of its files.
            closed = not self.path.lstat().st_mode & OTHERS_ENTER
            for path in sorted(self.path.rglob('*')):
                facts = path.lstat()
                if not S_ISREG(facts.st_mode) and not S_ISDIR(facts.st_mode):
                    raise PlanError(f'{path} is not a regular file', do='remove it')
                if flaw := _flaw(facts, 0 if closed else OTHERS_WRITE):
                    raise PlanError(f'{path} {flaw}', do='remove it')

    def seal(self) -> None:
        """Store the digests of all files, for a library that writes them itself."""
        self.write(SEAL, json.dumps(self._digests()).encode())

    def remove_unsealed(self) -> None:
        """Remove files that were changed or added since `seal`."""
        try:
            sealed = dict(json.loads(self.read(SEAL) or b'{}'))
        except (TypeError, ValueError):
            sealed = {}
        for name, digest in self._digests().items():
            if sealed.get(name) != digest:
                self.remove(name)

    def _digests(self) -> dict[str, str]:
        with self.errors():
            return {
                str(path.relative_to(self.path)): sha256(path.read_bytes()).hexdigest()
                for path in self.path.rglob('*') if path.is_file() and path.name != SEAL
            }

    def leftovers(self) -> list[str]:
        """Return the temporary folders; while the lock is held none is in use by others."""
        return sorted(path.name for path in self.path.glob(f'{PART}*'))

    @contextmanager
    def locked(
        self, purpose: str, report: Report = silent, cancelled: Cancelled = never
    ) -> Iterator[None]:
        """
        Hold the folder's lock, which one process at a time can have.

        :param purpose: shown to processes that wait for the lock.
        :param report: called, while waiting, with the process that holds the lock.
        :raises EngineError: if cancelled while waiting.
        """
        with self.errors():
            file = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            while not self._taken(file):
                report(f'waiting for {os.pread(file, 200, 0).decode(errors="replace")}', 0.0)
                if cancelled():
                    raise EngineError('the wait for another build was cancelled')
                sleep(POLL_S)
            os.ftruncate(file, 0)
            os.pwrite(file, f'process {os.getpid()}, {purpose}'.encode(), 0)
            yield
        finally:
            os.close(file)

    def _taken(self, file: int) -> bool:
        with self.errors():
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                return False
        return True


def _flaw(facts: os.stat_result, forbidden: int = OTHERS_WRITE) -> str:
    """Return why others can write to a file or folder; empty if they cannot."""
    if facts.st_uid not in (os.geteuid(), ROOT):
        return f'belongs to user {facts.st_uid}, not to {os.geteuid()}'
    if facts.st_mode & forbidden:
        return 'is writable by others'
    return ''
