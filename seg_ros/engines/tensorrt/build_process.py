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

"""A build in a child process: it can be cancelled, and a crash becomes an EngineError."""

from collections.abc import Callable, Iterator
import json
import os
from pathlib import Path
from select import poll, POLLHUP, POLLIN
from signal import SIGKILL, Signals
from subprocess import PIPE, Popen
import sys
from tempfile import TemporaryFile
from typing import Any, IO

from seg_ros.core.errors import EngineError, GpuMemoryError
from seg_ros.core.progress import Cancelled, Report
from seg_ros.engines.tensorrt.build import json_from_options, MODEL, OPTIONS, TIMING
from seg_ros.engines.tensorrt.build_options import BuildOptions

POLL_MS = 200
STDERR_CHARS = 400  # end of a crashed process's stderr that is quoted
ERRORS = {kind.__name__: kind for kind in (EngineError, GpuMemoryError)}


def build_in_child(
    folder: Path,
    onnx: bytes,
    options: BuildOptions,
    timing: bytes,
    gpu_index: int,
    report: Report,
    cancelled: Cancelled,
) -> list[str]:
    """
    Build a plan in a child process, which ends when this one does.

    :param folder: private and empty; afterwards it holds `plan` and `timing`.
    :param gpu_index: ordinal of the GPU in this process.
    :returns: notes on the plan for the user.
    :raises EngineError: if the build fails, crashes or is cancelled.
    :raises OSError: if the folder cannot be written to.
    """
    (folder / MODEL).write_bytes(onnx)
    (folder / OPTIONS).write_text(json_from_options(options), encoding='utf-8')
    (folder / TIMING).write_bytes(timing)
    command = [sys.executable, '-m', 'seg_ros.engines.tensorrt.build', str(folder)]
    notes: list[str] = []
    with TemporaryFile() as stderr, Popen(
        command, stdin=PIPE, stdout=PIPE, stderr=stderr, cwd=folder,
        env=_environment(gpu_index), start_new_session=True,
    ) as child:
        try:
            done = _listen(_lines(child, cancelled), report, notes.append)
            if not done:
                raise _crash(child.wait(), stderr)
        finally:
            child.kill()
    return notes


def _environment(gpu_index: int) -> dict[str, str]:
    """Return the child's environment: the GPU as device 0, and paths that hold in its folder."""
    variables = dict(os.environ)
    paths = filter(None, variables.get('PYTHONPATH', '').split(os.pathsep))
    variables['PYTHONPATH'] = os.pathsep.join(map(os.path.abspath, paths))
    if gpu_index:
        visible = variables.get('CUDA_VISIBLE_DEVICES')
        variables['CUDA_VISIBLE_DEVICES'] = (
            visible.split(',')[gpu_index] if visible else str(gpu_index)
        )
    return variables


def _lines(child: 'Popen[bytes]', cancelled: Cancelled) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects that the child reports until it closes its output."""
    output = child.stdout.fileno() if child.stdout else -1
    waiter = poll()
    waiter.register(output, POLLIN | POLLHUP)
    rest = b''
    while True:
        if cancelled():
            raise EngineError('the build was cancelled')
        if waiter.poll(POLL_MS):
            data = os.read(output, 1 << 16)
            if not data:
                return
            *lines, rest = (rest + data).split(b'\n')
            yield from map(json.loads, lines)


def _listen(
    lines: Iterator[dict[str, Any]], report: Report, note: Callable[[str], None]
) -> bool:
    """
    Forward the child's progress and notes.

    :returns: whether the build completed.
    :raises EngineError: the error that the child reported.
    """
    for line in lines:
        if 'phase' in line:
            report(line['phase'], line['share'])
        elif 'note' in line:
            note(line['note'])
        elif 'error' in line:
            kind, *words = line['error']
            raise ERRORS.get(kind, EngineError)(*words)
        elif 'done' in line:
            return True
    return False


def _crash(code: int, stderr: IO[bytes]) -> EngineError:
    stderr.seek(0)
    words = stderr.read().decode(errors='replace').strip()[-STDERR_CHARS:]
    end = f'by {Signals(-code).name}' if code < 0 else f'with exit code {code}'
    hint = 'check with dmesg whether the system ran out of memory' if code == -SIGKILL else ''
    return EngineError(f'the build process ended {end}: {words or "no message"}', do=hint)
