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

"""The reason reported for an image without depth names the right cause."""

import pytest
from seg_ros.ros.depth_advice import why_unpaired


@pytest.mark.parametrize(('offset_ms', 'words', 'culprit'), [
    (-83.0, 'no depth within 50 ms of the image: offset -83 ms', 'synchronise'),
    (-1000.0, 'offset -1000 ms', 'or depth comes more than 1 s after the masks'),
    (700.0, 'offset 700 ms', 'or masks take longer than the 2 s for which depth is kept'),
    (-900_000.0, 'offset -900 s', 'their clocks differ'),
])
def test_words_name_what_was_seen_and_where_to_look(offset_ms, words, culprit):
    said = why_unpaired(offset_ms, 50.0)
    assert words in said
    assert culprit in said
