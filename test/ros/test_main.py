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

"""A signal ends the executable cleanly, even in its first second."""

from dataclasses import fields
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
from time import monotonic, sleep
from typing import Any

import pytest
from seg_ros.core.settings import Settings

pytest.importorskip('rclpy', reason='rclpy is not installed')
pytestmark = pytest.mark.ros
PATIENCE_S = 60.0


def handles(process: subprocess.Popen, number: int) -> bool:
    """Read from the kernel whether a process has a handler for a signal."""
    text = Path(f'/proc/{process.pid}/status').read_text()
    caught = int(re.search(r'SigCgt:\s*([0-9a-f]+)', text)[1], 16)
    return bool(caught >> (number - 1) & 1)


def started(*prefix: str, parameter: str = 'model:=otsu', **options: Any) -> subprocess.Popen:
    """Start the executable with one more parameter, optionally through a wrapper such as nohup."""
    command = [sys.executable, '-m', 'seg_ros.ros.main', '--ros-args', '-p', 'engine:=classical']
    return subprocess.Popen(
        [*prefix, *command, '-p', parameter], text=True,
        **{'stdout': subprocess.PIPE, 'stderr': subprocess.STDOUT, **options},
    )


@pytest.fixture
def node():
    """Start the executable and wait for its handler of SIGTERM, which Python lacks by default."""
    process = started()
    end = monotonic() + PATIENCE_S
    while not handles(process, signal.SIGTERM):
        assert monotonic() < end
        sleep(0.002)
    yield process
    process.kill()
    process.communicate()   # closes the pipe


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize('delay_s', [0.0, 0.05, 0.2, 0.5, 0.8, 1.2, 2.0])
def test_a_signal_while_the_node_is_still_being_imported_ends_it_without_a_traceback(
    node, number, delay_s
):
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip('this signal is ignored here, as under nohup, and so by the node')
    sleep(delay_s)
    node.send_signal(number)
    output, _ = node.communicate(timeout=PATIENCE_S)
    assert node.returncode == 0
    assert 'Traceback' not in output
    assert 'Exception ignored' not in output


def lines_until(process: subprocess.Popen, words: str) -> str:
    """Read the log of a process up to a line with some words."""
    log = ''
    for line in process.stdout:
        log += line
        if words in line:
            return log
    raise AssertionError(f'no line with {words!r} in:\n{log}')


@pytest.mark.parametrize('folder', ['/proc/none', ''])
def test_without_a_place_for_its_log_file_the_node_runs_and_says_so(folder):
    environment = {**os.environ, 'ROS_LOG_DIR': folder}
    environment.pop('HOME', None)
    process = started(env=environment)
    try:
        log = lines_until(process, 'classical-otsu on')
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert 'no log file is written' in log
    assert process.returncode == 0


def test_without_ros_the_executable_ends_in_one_line():
    lines = 'import sys; sys.modules["rclpy"] = None; from seg_ros.ros.main import main; main([])'
    ended = subprocess.run([sys.executable, '-c', lines], capture_output=True, text=True)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert 'ROS 2 cannot be imported' in ended.stderr


def test_arguments_that_ros_refuses_end_in_one_line():
    process = started('env', 'ROS_DOMAIN_ID=forty')
    log, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert '[segmentation_node]: cannot start' in log
    assert 'ROS_DOMAIN_ID' in log
    assert 'Traceback' not in log


def test_a_parameter_of_ros_itself_that_has_another_type_ends_in_one_line():
    process = started(parameter='use_sim_time:=1')
    log, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert '[segmentation_node]: cannot start' in log
    assert 'use_sim_time' in log
    assert 'Traceback' not in log


def test_nohup_keeps_its_signal_from_the_node():
    process = started('nohup')
    try:
        lines_until(process, 'classical-otsu on')
        process.send_signal(signal.SIGHUP)
        sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert process.returncode == 0


def end_of_main(spin: str, *shell: str, **options: Any) -> int:
    """Return the exit code of main with `_spin` replaced by a one-line function."""
    code = (
        'import atexit, os, signal, sys; from seg_ros.ros import main\n'
        f'main._spin = {spin}; sys.exit(main.main())'
    )
    return subprocess.run(
        [*shell, sys.executable, '-c', code], timeout=PATIENCE_S, check=False, **options
    ).returncode


def test_a_second_signal_does_not_make_a_good_end_a_bad_one():
    heeded = '[each for each in main.SIGNALS if signal.getsignal(each) != signal.SIG_IGN]'
    spin = f'lambda _: atexit.register(lambda: os._exit(3 if {heeded} else 4)) and 0'
    assert end_of_main(spin) == 4       # set at exit, with all signals ignored


def test_streams_that_are_closed_are_a_good_end():
    assert end_of_main('lambda _: 0', 'sh', '-c', 'exec "$0" "$@" >&- 2>&-') == 0


def test_signals_that_were_blocked_end_the_node():
    def block():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])

    spin = 'lambda _: os.kill(os.getpid(), 15) or 1'    # `_leave` exits with 0, not with 1
    assert end_of_main(spin, preexec_fn=block) == 0


@pytest.mark.parametrize('words', [['--help'], ['-h', '--ros-args', '-p', 'model:=otsu']])
def test_help_names_every_parameter_and_starts_nothing(words):
    command = [sys.executable, '-m', 'seg_ros.ros.main', *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, '')
    for item in fields(Settings):
        assert re.search(rf'^  {item.name} \(', done.stdout, re.MULTILINE), item.name
    assert 'workers (1): 1 to 16\n' in done.stdout


def test_words_that_set_nothing_are_warned_of():
    process = subprocess.Popen(
        [sys.executable, '-m', 'seg_ros.ros.main', '--model', 'otsu'], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    try:
        assert '--ros-args -p NAME:=VALUE' in lines_until(process, '--model otsu: not used')
    finally:
        process.kill()
        process.communicate()
