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

"""A number of a command line is taken within its range, and refused with the range."""

from argparse import ArgumentTypeError

import pytest
from seg_ros.core.number_options import number, SECONDS, SEED, SIDE, whole


def test_numbers_within_their_range_are_taken():
    assert whole(1)('1') == 1
    assert whole(0, 3)('3') == 3
    assert number(0, 1)('0.5') == 0.5
    assert (SIDE('16384'), SEED('0'), SECONDS('1.5')) == (16384, 0, 1.5)


@pytest.mark.parametrize(('kind', 'words', 'expected'), [
    (whole(1), '0', 'a whole number, 1 or more'),
    (whole(1), '1.5', 'a whole number, 1 or more'),
    (whole(0, 18), '19', 'a whole number, 0 to 18'),
    (number(0, 1), 'nan', 'a number, 0 to 1'),
    (SECONDS, 'inf', 'a number, 1 to 1000000'),
    (SIDE, 'x', 'a whole number, 1 to 16384'),
])
def test_others_are_refused_with_the_range(kind, words, expected):
    with pytest.raises(ArgumentTypeError, match=f'{words!r}; expected {expected}$'):
        kind(words)
