"""How old an image is, whatever clock stamped it."""

FOREIGN_NS = 10_000_000_000


def age_ms(stamp_ns: int, arrival_ns: int, now_ns: int) -> tuple[float, bool]:
    """
    Return an image's age, and whether its stamp comes from a foreign clock.

    An age that is negative or beyond ten seconds on arrival cannot be the camera's delay: the age
    then counts from arrival. All three times are nanoseconds, the last two of the node's clock.
    """
    delay_ns = arrival_ns - stamp_ns
    foreign = not 0 <= delay_ns <= FOREIGN_NS
    return (now_ns - (arrival_ns if foreign else stamp_ns)) / 1e6, foreign
