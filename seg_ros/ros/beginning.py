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

"""How a process begins with ROS where it may not write, as in a container that is read-only."""

from collections.abc import Sequence

import rclpy
from rclpy.signals import SignalHandlerOptions

NO_LOG_FILE = ('--ros-args', '--disable-external-lib-logs')


def begin_ros(arguments: Sequence[str]) -> str:
    """
    Initialise rclpy without its signal handlers, and without a log file where none can be written.

    A service without HOME, or one whose file system is read-only, has no place for that file:
    rclpy ends there, and a robot needs masks more than a file.

    :param arguments: of the process, its name first.
    :returns: why there is no log file; empty where there is one.
    :raises Exception: what ROS says of arguments or of an environment that it cannot take.
    """
    try:
        rclpy.init(args=[*arguments], signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # noqa: BLE001 - raised again, unless it was the log
        rclpy.try_shutdown()
        rclpy.init(
            args=[*arguments, *NO_LOG_FILE], signal_handler_options=SignalHandlerOptions.NO
        )
        return str(error)
    return ''
