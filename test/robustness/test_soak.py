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

"""A few seconds of the soak, which `make soak` runs for an hour."""

from pathlib import Path
import sys

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')
sys.path.insert(0, str(Path(__file__).parent))


@pytest.mark.slow
def test_hostile_messages_beside_honest_ones_do_no_harm() -> None:
    from soak import run

    counts, used = run('default', seconds=8.0, hostile=8, seed=0)
    assert counts.frames
    assert counts.dropped
    assert not counts.bad, counts
    assert used[0].handles
