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

"""The outcome of a self-test's check."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from seg_ros.core.errors import SegError

PASSED, FAILED, SKIPPED = 'passed', 'failed', 'skipped'


@dataclass
class Check:
    """
    The outcome of one check; it passes unless it is failed or skipped.

    :param seen: what was found, as text.
    :param do: what the user can do about it.
    :param figures: what was measured, units in the names.
    """

    name: str
    result: str = PASSED
    seen: str = ''
    do: str = ''
    figures: dict[str, Any] = field(default_factory=dict)

    def fail(self, seen: str, do: str = '') -> None:
        """Mark the check as failed; only the first failure is kept."""
        if self.result == PASSED:
            self.result, self.seen, self.do = FAILED, seen, do

    def skip(self, seen: str, do: str = '') -> None:
        """Mark the check as skipped, with what is missing."""
        self.result, self.seen, self.do = SKIPPED, seen, do

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


@contextmanager
def checked(name: str) -> Iterator[Check]:
    """Run a check; a SegError inside fails it but does not stop the following checks."""
    check = Check(name)
    try:
        yield check
    except SegError as error:
        expectation = f'expected {error.expected}' if error.expected else ''
        check.fail(error.seen, '; '.join(filter(None, (expectation, error.do))))


def lines_of(checks: Iterable[Check]) -> Iterator[str]:
    """Yield the lines of a report."""
    for check in checks:
        yield f'{check.result:9}{check.name:31}{check.seen}'
        if check.do:
            yield f'{"":40}-> {check.do}'
        for name, figure in _flat(check.figures):
            yield f'{"":40}{name}: {figure}'


def _flat(figures: Mapping[str, Any], prefix: str = '') -> Iterator[tuple[str, str]]:
    for name, figure in figures.items():
        if isinstance(figure, Mapping):
            yield from _flat(figure, f'{prefix}{name}.')
        else:
            yield prefix + name, f'{figure:.4g}' if isinstance(figure, float) else str(figure)
