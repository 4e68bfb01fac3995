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

"""What is said of an image without depth accuses the right culprit."""

import pytest
from seg_ros.ros.unpaired import explained
from seg_ros.temporal.nearest_stamp import Cause


@pytest.mark.parametrize(('cause', 'offset_ms', 'words', 'culprit'), [
    (Cause.OFFSET, -83.0, 'no depth within 50 ms of the image: offset -83 ms', 'synchronise'),
    (Cause.OFFSET, -1000.0, 'offset -1000 ms', 'or depth takes too long'),
    (Cause.OFFSET, -900_000.0, 'offset -900 s', 'they have different clocks'),
    (Cause.MASKS, 0.0, 'dropped before its masks came', 'a smaller network'),
    (Cause.DEPTH, 1500.0, 'depth comes 1500 ms after the masks', 'the depth driver'),
])
def test_words_name_what_was_seen_and_where_to_look(cause, offset_ms, words, culprit):
    said = explained(cause, offset_ms, 50.0)
    assert words in said
    assert culprit in said


@pytest.mark.parametrize('cause', [Cause.MASKS, Cause.DEPTH])
def test_clocks_are_not_blamed_for_what_is_slow(cause):
    assert 'clock' not in explained(cause, 700.0, 50.0)
