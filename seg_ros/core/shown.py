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

"""Values from outside as messages quote them."""

from collections.abc import Collection
from itertools import islice
from reprlib import Repr

_MOST_NAMES = 20
_BRIEF = Repr()
_BRIEF.maxlevel = 3
_BRIEF.maxstring = _BRIEF.maxlong = _BRIEF.maxother = _MOST_SHOWN = 60


def shown(value: object) -> str:
    """Return a value as a message quotes it, in some 60 characters however large it is."""
    words = _BRIEF.repr(value)
    return words if len(words) <= _MOST_SHOWN else f'{words[:_MOST_SHOWN]}…'


def few(names: Collection[str]) -> str:
    """Return names as a message lists them: twenty, and how many there are in all."""
    listed = ', '.join(islice(names, _MOST_NAMES))
    return listed if len(names) <= _MOST_NAMES else f'{listed}, … ({len(names)} in all)'
