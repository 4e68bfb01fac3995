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

"""Starts processes, measures them through /proc, and ends them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys

from seg_ros.core.errors import EngineError
from seg_ros.share import fastdds_profile

TICKS_PER_S = os.sysconf('SC_CLK_TCK')


@contextmanager
def started(
    module: str, *arguments: str, errors: int = subprocess.DEVNULL
) -> Iterator['subprocess.Popen[str]']:
    """
    Run a module of seg_ros for the duration of the block; end it by SIGINT.

    Images go through shared memory, as between processes of our launch file.

    :param errors: target of stderr; a pipe only suits processes that write little.
    """
    process = subprocess.Popen(
        [sys.executable, '-m', f'seg_ros.{module}', *arguments], text=True,
        stdout=subprocess.PIPE, stderr=errors,
        env={**fastdds_profile(os.environ), **os.environ},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def read_line(process: 'subprocess.Popen[str]') -> str:
    """
    Read a line of what a process prints.

    :raises EngineError: if the process ended instead, with its last message.
    """
    line = process.stdout.readline() if process.stdout else ''
    if not line:
        last = (process.communicate()[1] or '').strip().splitlines()[-1:]
        raise EngineError(f'the reader ended with {process.returncode}: {"".join(last)}')
    return line.rstrip()


def wait_for_line(process: 'subprocess.Popen[str]', line: str) -> None:
    """
    Wait until a process prints a line.

    :raises EngineError: if the process ends before.
    """
    while read_line(process) != line:
        pass


def cpu_s(pids: Sequence[int]) -> float:
    """Return the processor time that processes have used, user and system together."""
    return sum(cpu_ticks(Path(f'/proc/{pid}/stat').read_text()) for pid in pids) / TICKS_PER_S


def cpu_ticks(stat: str) -> int:
    """Sum user and system ticks in the text of /proc/PID/stat; the name may contain anything."""
    fields = stat.rpartition(')')[2].split()
    return int(fields[11]) + int(fields[12])


def page_faults(pids: Sequence[int]) -> int:
    """Return the number of minor page faults of processes."""
    return sum(minor_faults(Path(f'/proc/{pid}/stat').read_text()) for pid in pids)


def minor_faults(stat: str) -> int:
    """Read the number of minor page faults, which need no disk, from /proc/PID/stat."""
    return int(stat.rpartition(')')[2].split()[7])


def memory_mib(pids: Sequence[int]) -> float:
    """Return the resident memory of processes; shared memory counts once for each of them."""
    page = os.sysconf('SC_PAGE_SIZE')
    pages = sum(int(Path(f'/proc/{pid}/statm').read_text().split()[1]) for pid in pids)
    return pages * page / 2**20
