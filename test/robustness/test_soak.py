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


def test_a_run_ends_by_time_or_by_frames_and_messages_together() -> None:
    from soak import Counts, Enough

    enough = Enough(seconds=60.0, frames=10, messages=100)
    assert enough.reached(Counts(), 60.0)
    assert enough.reached(Counts(frames=10, messages=100), 1.0)
    assert not enough.reached(Counts(frames=10, messages=99), 1.0)
    assert not Enough(seconds=60.0).reached(Counts(frames=10**9, messages=10**9), 1.0)


@pytest.mark.slow
def test_hostile_messages_beside_honest_ones_do_no_harm() -> None:
    from soak import Enough, run

    counts, used = run('default', Enough(seconds=8.0), hostile=8, seed=0)
    assert counts.frames
    assert counts.dropped
    assert not counts.bad, counts
    assert used[0].handles
