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

"""The words of the documentation, the messages and the code are those of the field."""

from collections.abc import Iterator
from pathlib import Path
import re

import pytest

LIST = Path(__file__)
ROOT = LIST.parents[1]
# What is not said, and what is said instead.
WORDS = {
    r'pictures?': 'image',
    r'tells?(?!\()|told': 'reports, logs, warns, shows, says',
    r'passed over': 'skipped',
    r'mend(s|ed|ing)?': 'fix, repair',
    r'call(s|ed)? off': 'cancelled',
    r'given back': 'released',
    r'in turns': 'interleaved',
    r'quick(er|est|ly)?': 'fast',
    r'word of': 'notification, event',
    r'g[ai]ves? way|given way': 'dropped frame',
    r'open batch': 'dynamic axes',
    r'appetite': 'memory requirement',
    r'found again': 'recall, matched',
    r'surplus': 'extra, false positives',
    r'unmixing': 'prototype_masks',
}
# In names a blank is an underscore.
FORBIDDEN = re.compile(
    rf'(?<![a-z])(?:{"|".join(WORDS)})(?![a-z])'.replace(' ', '[ _]'), re.IGNORECASE
)


def texts() -> Iterator[Path]:
    yield from (ROOT / name for name in ('README.md', 'CHANGELOG.rst', 'Makefile', 'setup.py'))
    for folder, pattern in (
        ('docs', '*.md'), ('config', '*.yaml'), ('launch', '*.py'), ('seg_ros', '*.py'),
        ('test', '*.py'),
    ):
        yield from sorted(path for path in (ROOT / folder).rglob(pattern) if path != LIST)


def plain(words: str) -> str:
    return words.replace('_', ' ')


def found(text: str) -> list[str]:
    """Return each line that has a word of the list, with what to say instead."""
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        for match in FORBIDDEN.finditer(line):
            instead = next(
                say for word, say in WORDS.items()
                if re.fullmatch(word.replace(r'(?!\()', ''), plain(match[0]), re.IGNORECASE)
            )
            lines.append(f'{number}: {match[0]!r}; say {instead}')
    return lines


def test_no_word_of_the_list_is_used() -> None:
    wrong = [
        f'{path.relative_to(ROOT)}:{line}' for path in texts()
        for line in found(path.read_text(encoding='utf-8'))
    ]
    assert wrong == [], '\n'.join(wrong)


@pytest.mark.parametrize('line', [
    'A picture a second.', 'It tells how far', 'the user is told', 'Quickly done', '_in turns',
    'def test_a_file_is_passed_over():',
])
def test_a_word_of_the_list_is_found(line: str) -> None:
    assert len(found(line)) == 1


@pytest.mark.parametrize('line', ['at = stream.tell()', 'an image', 'intelligent', 'tomorrow'])
def test_other_words_are_left_alone(line: str) -> None:
    assert found(line) == []
