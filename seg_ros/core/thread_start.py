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

"""Starting of threads, with an error if the system's limit is reached."""

from collections.abc import Callable
from threading import Thread
from weakref import WeakSet

from seg_ros.core.errors import EngineError

_STARTED: 'WeakSet[Thread]' = WeakSet()


def unfinished() -> list[str]:
    """Return the names of the started threads that are still running."""
    return [thread.name for thread in _STARTED if thread.is_alive()]


def started(target: Callable[..., object], name: str, *arguments: object) -> Thread:
    """
    Start a daemon thread.

    :raises EngineError: if the system refuses another thread.
    """
    thread = Thread(target=target, name=name, args=arguments, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise EngineError(
            f'no thread for {name}: {error}', 'one more',
            "raise the limit of processes (ulimit -u, or the container's pids limit)",
        ) from error
    _STARTED.add(thread)
    return thread
