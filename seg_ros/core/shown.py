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

"""Quoting of external values in messages."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from itertools import islice
from reprlib import Repr

_MAX_NAMES = 20
_BRIEF = Repr()
_BRIEF.maxlevel = 3
_BRIEF.maxstring = _BRIEF.maxlong = _BRIEF.maxother = _MAX_LENGTH = 60


def shown(value: object) -> str:
    """Return a value quoted for a message, shortened to about 60 characters."""
    text = _BRIEF.repr(value)
    return text if len(text) <= _MAX_LENGTH else f'{text[:_MAX_LENGTH]}…'


def few(names: Collection[str]) -> str:
    """Return a list of names for a message: at most twenty, and the total number."""
    listed = ', '.join(islice(names, _MAX_NAMES))
    return listed if len(names) <= _MAX_NAMES else f'{listed}, … ({len(names)} in all)'


def did_you_mean(name: str, known: Iterable[str], min_ratio: float = 0.6) -> str:
    """
    Suggest the known name that is most similar to an unknown one.

    :param min_ratio: similarity by difflib, 0 to 1.
    :returns: a question for a message; empty if no known name is similar.
    """
    alike = get_close_matches(name, list(known), 1, min_ratio)
    return f'did you mean {alike[0]}?' if alike else ''
