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

"""Progress of runs and builds, and notes on skipped inputs, on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
import sys
from typing import Any

from seg_ros.core.errors import ImageError, SegError
from seg_ros.core.progress import Report
from tqdm import tqdm


class Progress:
    """
    A progress bar on terminals, and a line per skipped input; repeated lines are printed once.

    :param command: name of the command, which precedes its messages.
    :param expected: number of images; if it is 1, an error ends the run.
    """

    def __init__(self, command: str, expected: int) -> None:
        self.expected = expected
        self.skipped = 0
        self._command = command
        self._reported: set[str] = set()
        self._bar = tqdm(disable=True)

    @contextmanager
    def over(self, expected: int) -> Iterator[None]:
        """Draw a bar while this many images are processed."""
        self.expected = expected
        with tqdm(total=expected, unit='image', file=sys.stderr, disable=None) as self._bar:
            yield

    def step(self) -> None:
        """Count one processed image."""
        self._bar.update()

    def skip(self, name: str, error: SegError) -> None:
        """
        Count an input that could not be read, and report why.

        :raises ImageError: if it is the only input.
        """
        self.skipped += 1
        self._bar.update()
        if self.expected == 1:
            raise ImageError(f'{name}: {error.seen}', error.expected, error.do) from error
        self._write(
            f'seg_ros {self._command}: skipped {name}: {" ".join(str(error).split())}'
        )

    def note(self, text: str) -> None:
        """Print a note, once."""
        self._write(f'seg_ros {self._command}: {" ".join(text.split())}')

    def _write(self, line: str) -> None:
        if line not in self._reported:
            self._reported.add(line)
            tqdm.write(line, file=sys.stderr)


@contextmanager
def build_report(command: str) -> Iterator[Report]:
    """
    Draw a bar on terminals while TensorRT builds, and print a line for each phase.

    Nothing is drawn before the first report, since most engines open without a build.

    :param command: name of the command, which precedes its messages.
    """
    bar: tqdm[Any] | None = None
    last = ''

    def report(phase: str, share: float) -> None:
        nonlocal bar, last
        if bar is None:
            bar = tqdm(
                total=1.0, file=sys.stderr, disable=None,
                bar_format='{percentage:3.0f}%|{bar}| {elapsed}',
            )
        if phase != last:
            tqdm.write(f'seg_ros {command}: {phase}', file=sys.stderr)
        last = phase
        bar.n = share
        bar.refresh()

    try:
        yield report
    finally:
        if bar is not None:
            bar.close()
