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

"""Safe reading and writing of files: atomic, never to links, never over inputs."""

from collections.abc import Iterable
from contextlib import suppress
from errno import EINVAL
import os
from pathlib import Path
from secrets import token_hex
from stat import S_ISDIR, S_ISREG
from typing import BinaryIO

from seg_ros.core.errors import SettingError


def open_plain(path: Path) -> BinaryIO:
    """
    Open a regular file for reading; pipes, which may block, and endless devices are refused.

    :raises OSError: if there is no file, or it is a folder, a pipe or a device.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = os.fstat(descriptor).st_mode
        if not S_ISREG(mode) and not S_ISDIR(mode):
            raise OSError(EINVAL, 'it is a device, a pipe or a socket', str(path))
        return os.fdopen(descriptor, 'rb')
    except OSError:
        os.close(descriptor)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """
    Write a file atomically: to a temporary file in the same folder, which then replaces it.

    :raises SettingError: if it cannot be written, or the path exists and is not a regular file. An
        existing file is then unchanged.
    """
    check_output(path)
    part = path.with_name(f'.{path.name[:64]}.{token_hex(4)}.part')
    try:
        # Files of tempfile are private to their owner, whatever the umask.
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        try:
            with open(descriptor, 'wb') as file:
                file.write(data)
            os.replace(part, path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    except OSError as error:
        raise SettingError(
            f'{path} cannot be written ({error.strerror or error})',
            'a folder that takes files, and room on its disk',
        ) from error


def check_output(path: Path, inputs: Iterable[Path] = ()) -> None:
    """
    Check that a path may be written to.

    :param inputs: files that are read meanwhile.
    :raises SettingError: if `path` is a link, a folder or a device, or one of the inputs.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise SettingError(f'{path} cannot be written ({error})', 'the name of a file') from error
    for item in inputs:
        with suppress(OSError):
            if path.samefile(item):
                raise SettingError(
                    f'{path} is the input {item}', 'another file', 'inputs are never overwritten'
                )
    if path.is_symlink():
        raise SettingError(
            f'{path} is a link, which is not followed', 'a plain file or a new name',
            'name the file itself, or remove the link',
        )
    if not S_ISREG(mode):
        kind = 'a folder' if path.is_dir() else 'a device, a pipe or a socket'
        raise SettingError(f'{path} is {kind}', 'a plain file or a new name')
