"""How far a run is and what it left out, told on stderr."""

from collections.abc import Iterator
import sys
from types import TracebackType

from seg_ros.core.errors import ImageError, SegError
from tqdm import tqdm


class Progress:
    """
    A bar on terminals, and one line for each thing left out; lines that repeat are told once.

    :param command: that speaks.
    :param expected: how many pictures there are; where it is one, an error ends the run.
    """

    def __init__(self, command: str, expected: int) -> None:
        self.expected = expected
        self.skipped = 0
        self._command = command
        self._told: set[str] = set()
        self._bar: tqdm[Iterator[None]] | None = None

    def skip(self, name: str, error: SegError) -> None:
        """
        Count what could not be read, and tell why.

        :raises ImageError: if there is nothing else to go on with.
        """
        self.skipped += 1
        if self.expected == 1:
            raise ImageError(f'{name}: {error.seen}', error.expected, error.do) from error
        line = f'seg_ros {self._command}: left out {name}: {" ".join(str(error).split())}'
        if line not in self._told:
            self._told.add(line)
            tqdm.write(line, sys.stderr)
