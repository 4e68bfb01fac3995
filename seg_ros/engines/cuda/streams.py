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

"""CUDA streams and events."""

from typing import Any

NON_BLOCKING = 1  # CUstream_flags: never waits for the default stream


class Stream:
    """A CUDA stream, whose work runs in order."""

    def __init__(self, pycuda: Any) -> None:
        self._stream = pycuda.Stream(NON_BLOCKING)

    @property
    def handle(self) -> int:
        """Return the driver's handle of the stream."""
        return int(self._stream.handle)

    @property
    def queue(self) -> Any:
        """Return pycuda's stream, for enqueuing through pycuda."""
        return self._stream

    def wait_for(self, event: 'Event') -> None:
        """Make later work of the stream wait for an event."""
        self._stream.wait_for_event(event.mark)

    def finish(self) -> None:
        """Wait until all work of the stream is done."""
        self._stream.synchronize()

    def free(self) -> None:
        """Destroy the stream."""
        del self._stream


class Event:
    """A CUDA event: a point in a stream."""

    def __init__(self, pycuda: Any) -> None:
        # By default a waiting thread spins, which would cost a core.
        self._event = pycuda.Event(pycuda.event_flags.BLOCKING_SYNC)

    @property
    def mark(self) -> Any:
        """Return pycuda's event, for enqueuing through pycuda."""
        return self._event

    def record(self, stream: Stream) -> None:
        """Record the event after the work that the stream has now."""
        self._event.record(stream.queue)

    def wait(self) -> None:
        """Wait for the event, without spinning."""
        self._event.synchronize()

    def ms_until(self, later: 'Event') -> float:
        """Return the time between two completed events, in milliseconds."""
        return float(self._event.time_till(later.mark))

    def free(self) -> None:
        """Destroy the event."""
        del self._event
