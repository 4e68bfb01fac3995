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

"""Every source file carries the notice of the licence, in the form that ament_copyright reads."""

from collections.abc import Iterator
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ('*.py', '*.c', '*.cc', '*.cpp', '*.h', '*.hpp', '*.cmake')
FOLDERS = ('seg_ros', 'launch', 'test')
HOLDER = re.compile(r'Copyright \d{4}(-\d{4})? \S.*')


def plain(text: str) -> str:
    """Return a text on one line, as ament_copyright compares it with its templates."""
    return ' '.join(text.split())


def sources() -> Iterator[Path]:
    yield ROOT / 'setup.py'
    for folder in FOLDERS:
        for pattern in SOURCES:
            yield from (ROOT / folder).rglob(pattern)


def first_comment(text: str) -> str:
    """Return the comment that a file begins with, below a shebang line, without its marks."""
    lines = []
    for line in re.sub(r'\A#![^\n]*\n', '', text).splitlines():
        if not re.match(r'#|//', line):
            break
        lines.append(re.sub(r'^(#|//) ?', '', line))
    return '\n'.join(lines)


def has_notice(text: str) -> bool:
    licence = (ROOT / 'LICENSE').read_text(encoding='utf-8')
    notice = licence[licence.index('Licensed under the Apache License'):]
    holder, _, terms = first_comment(text).partition('\n')
    return HOLDER.fullmatch(holder) is not None and plain(terms) == plain(notice)


def test_every_source_file_has_the_notice() -> None:
    files = list(sources())
    assert len(files) > 500
    assert [file for file in files if not has_notice(file.read_text(encoding='utf-8'))] == []


@pytest.mark.parametrize('text', [
    '', '"""A module."""\n', '# Copyright 2026 somebody\n',
    '# Licensed under the Apache License, Version 2.0\n',
])
def test_a_file_without_the_notice_is_found(text: str) -> None:
    assert not has_notice(text)


def test_the_notice_may_stand_below_a_shebang_line() -> None:
    assert has_notice('#!/usr/bin/env python3\n' + Path(__file__).read_text(encoding='utf-8'))


def test_contributions_are_under_the_section_of_the_licence_about_them() -> None:
    licence = (ROOT / 'LICENSE').read_text(encoding='utf-8')
    section = licence[licence.index('5. Submission'):licence.index('6. Trademarks')]
    assert plain(section) in plain((ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8'))
