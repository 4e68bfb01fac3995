"""Stamps of a camera never go backward within one run of the clock."""

from seg_ros.temporal.stamp_order import StampOrder

S = 1_000_000_000


def test_a_late_result_is_held_back():
    order = StampOrder()
    stamps = [10 * S, 10 * S + 5, 10 * S + 4, 10 * S + 6, 9 * S + 7]
    assert [order.admit('left', stamp) for stamp in stamps] == [True, True, False, True, False]


def test_what_was_held_back_does_not_hold_others_back():
    order = StampOrder()
    assert order.admit('left', 10 * S)
    assert not order.admit('left', 10 * S - 5)
    assert not order.admit('left', 10 * S - 3)
    assert order.admit('left', 10 * S)


def test_cameras_have_an_order_each():
    order = StampOrder()
    assert order.admit('left', 10 * S)
    assert order.admit('right', 10 * S - 5)


def test_a_clock_that_starts_over_is_followed():
    order = StampOrder()
    assert order.admit('left', 100 * S)
    assert order.admit('left', 2 * S)
    assert order.admit('left', 2 * S + 1)
    assert not order.admit('left', 2 * S)


def test_two_frames_of_one_stamp_both_pass():
    order = StampOrder()
    assert order.admit('left', 5)
    assert order.admit('left', 5)
