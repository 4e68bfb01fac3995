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

"""The process of the segmentation node, which a signal ends at any time."""

from contextlib import suppress
import os
import signal
import sys
from threading import Event, Thread
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seg_ros.ros.node import SegmentationNode

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
END_S = 4.5     # after a signal, until the process ends even if something hangs


def main(arguments: list[str] | None = None) -> int:
    """
    Run the node until SIGINT, SIGTERM or, unless nohup has it ignored, SIGHUP.

    rclpy's own signal handlers would invalidate the context while frames are in flight; here the
    node finishes and closes everything first. If something does not end in time, the exit code is
    1, so that a launch file with `respawn` restarts the node.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)     # which the parent may have blocked
    for number in _handled_signals():
        signal.signal(number, _leave)
    given = sys.argv if arguments is None else arguments
    code = _print_usage() if {'-h', '--help'} & {*given} else _spin(given)
    # Ctrl+C and the launch file may both send a signal; Python restores default handlers at exit.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError):     # closed from the start, or at its other end
            stream.flush()
    if code:    # a thread that hangs would also block the interpreter's exit
        os._exit(code)
    return 0


def _handled_signals() -> list[signal.Signals]:
    """Return the signals that end the node, without SIGHUP if nohup has it ignored."""
    ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return [number for number in SIGNALS if number != signal.SIGHUP or not ignored]


def _leave(number: int, frame: FrameType | None) -> None:
    """End at once: nothing is open yet, and an import could swallow an exception."""
    os._exit(0)


def _ended_by_signal() -> Event:
    """Return an event that signals set; `END_S` seconds later the process ends in any case."""
    ended = Event()
    for number in _handled_signals():
        signal.signal(number, lambda *_: ended.set())
    Thread(target=_end_in_time, args=(ended,), daemon=True).start()
    return ended


def _end_in_time(ended: Event) -> None:
    ended.wait()
    Event().wait(END_S)
    os._exit(1)


def _print_usage() -> int:
    from seg_ros.ros.usage import usage

    with suppress(OSError):     # closed at its other end
        sys.stdout.write(f'{usage()}\n')
    return 0


def _spin(given: list[str]) -> int:
    """Spin until a signal; return the exit code, 1 if the node cannot start or something hangs."""
    try:
        import rclpy
    except ImportError as error:
        sys.stderr.write(
            f'segmentation_node: ROS 2 cannot be imported ({error}); source ROS 2 or run make '
            'setup; to segment files without ROS use seg_ros run\n'
        )
        return 1
    from rclpy.executors import SingleThreadedExecutor
    from seg_ros.core.thread_start import unfinished
    import seg_ros.ros.node  # noqa: F401 - the slowest import, while signals still end at once
    from seg_ros.ros.spin import WAKE_S

    ended = _ended_by_signal()
    node = _make_node(given, ended)
    if node is None:
        return 1
    _warn_of_unused_arguments(given, node)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        while not ended.is_set():
            try:
                executor.spin_once(timeout_sec=WAKE_S)
            except Exception as error:  # noqa: BLE001 - no exception may stop the robot
                node.fault('spin', error)
    finally:
        node.abandon_autostart()
        node.release()
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()
    return 1 if unfinished() else 0


def _make_node(given: list[str], ended: Event) -> 'SegmentationNode | None':
    """Initialise ROS and create the node; if that fails, log it and return None."""
    import cv2
    import rclpy
    from rclpy.logging import get_logger
    from seg_ros.pipeline.process_memory import keep_freed_memory
    from seg_ros.ros.node import SegmentationNode

    keep_freed_memory()
    cv2.setNumThreads(1)
    try:
        without_log_file = _init_ros(given)
        node = SegmentationNode(ended.is_set)
    except Exception as error:  # noqa: BLE001 - rclpy has no common class for its errors
        get_logger('segmentation_node').fatal(f'cannot start: {error}')
        rclpy.try_shutdown()
        return None
    if without_log_file:
        node.get_logger().warning(f'no log file is written: {without_log_file}')
    return node


def _init_ros(given: list[str]) -> str:
    """
    Initialise rclpy without its signal handlers, and without a log file if none can be written.

    A service without HOME, or with a read-only file system, cannot write one. rclpy would refuse
    to start, but a robot needs masks more than a log file.

    :returns: why there is no log file; empty if there is one.
    :raises Exception: as rclpy does for invalid arguments or an invalid environment.
    """
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    no_handlers = SignalHandlerOptions.NO
    try:
        rclpy.init(args=given, signal_handler_options=no_handlers)
    except Exception as error:  # noqa: BLE001 - raised again unless it was due to the log
        rclpy.try_shutdown()
        no_file = ['--ros-args', '--disable-external-lib-logs']
        rclpy.init(args=[*given, *no_file], signal_handler_options=no_handlers)
        return str(error)
    return ''


def _warn_of_unused_arguments(given: list[str], node: 'SegmentationNode') -> None:
    from seg_ros.ros.unused_arguments import unused_parameters, unused_words

    if unused := unused_words(given):
        node.get_logger().warning(
            f'{" ".join(unused)}: not used; give parameters as --ros-args -p NAME:=VALUE, '
            'topics as --ros-args -r camera/image_raw:=TOPIC'
        )
    for words in unused_parameters(given, node.get_fully_qualified_name(), node.has_parameter):
        node.get_logger().warning(words)


if __name__ == '__main__':
    sys.exit(main())
