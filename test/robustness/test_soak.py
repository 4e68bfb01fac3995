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
