"""Ages count from the stamp where the clock is the camera's, else from arrival."""

import pytest
from seg_ros.pipeline.age import age_ms

S = 1_000_000_000


@pytest.mark.parametrize(('stamp', 'arrival', 'now', 'milliseconds', 'foreign'), [
    (100 * S, 100 * S, 100 * S, 0, False),
    (100 * S, 100 * S + 30_000_000, 100 * S + 50_000_000, 50, False),
    (100 * S, 110 * S, 110 * S, 10_000, False),
    (100 * S, 110 * S + 1, 110 * S + 1, 0, True),
    (100 * S + 1, 100 * S, 100 * S + 5_000_000, 5, True),
    (0, 1_700_000_000 * S, 1_700_000_000 * S + 2_500_000, 2.5, True),
    (1_700_000_000 * S, 7 * S, 8 * S, 1000, True),
    (100 * S, 101 * S, 130 * S, 30_000, False),
])
def test_the_age_is_the_delay_of_a_camera_or_the_time_since_arrival(
    stamp, arrival, now, milliseconds, foreign
):
    assert age_ms(stamp, arrival, now) == (milliseconds, foreign)


def test_nanoseconds_of_today_keep_their_precision():
    today = 1_790_000_000_123_456_789
    assert age_ms(today, today + 1, today + 1_000)[0] == pytest.approx(0.001, rel=1e-9)
