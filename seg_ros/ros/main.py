"""
The node's executable: signals are handled from its first line on.

What the node imports takes a second. A SIGINT in that time would otherwise become a traceback or,
inside an extension module, get lost.
"""

from collections.abc import Sequence
import os
import signal
import sys
from types import FrameType


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the node until SIGINT or SIGTERM; it takes over the handlers once it is imported.

    :param arguments: of ROS; those of the process where it is None.
    :returns: the exit code.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    from seg_ros.ros.node import main as run

    return run(None if arguments is None else list(arguments))


def _leave(number: int, frame: FrameType | None) -> None:
    """End at once: nothing is open yet, and an exception could get lost in what is imported."""
    os._exit(0)


if __name__ == '__main__':
    sys.exit(main())
