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

"""A signal ends the executable cleanly in its first second too."""

from pathlib import Path
import re
import signal
import subprocess
import sys
from time import monotonic, sleep

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')
pytestmark = pytest.mark.ros
PATIENCE_S = 60.0


def handles(process: subprocess.Popen, number: int) -> bool:
    """Read from the kernel whether a process has a handler for a signal."""
    text = Path(f'/proc/{process.pid}/status').read_text()
    caught = int(re.search(r'SigCgt:\s*([0-9a-f]+)', text)[1], 16)
    return bool(caught >> (number - 1) & 1)


@pytest.fixture
def node():
    """Start the executable and wait for its handler of SIGTERM, for which Python has none."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'seg_ros.ros.main', '--ros-args', '-p', 'engine:=classical'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    end = monotonic() + PATIENCE_S
    while not handles(process, signal.SIGTERM):
        assert monotonic() < end
        sleep(0.002)
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('delay_s', [0.0, 0.05, 0.2, 0.5, 0.8, 1.2, 2.0])
def test_a_signal_while_the_node_is_still_being_imported_ends_it_without_a_traceback(
    node, number, delay_s
):
    sleep(delay_s)
    node.send_signal(number)
    output, _ = node.communicate(timeout=PATIENCE_S)
    assert node.returncode == 0
    assert 'Traceback' not in output
    assert 'Exception ignored' not in output
