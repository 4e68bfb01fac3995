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

from importlib import import_module
import os
import signal
import subprocess
import sys
from tempfile import gettempdir
from types import SimpleNamespace

import pytest
from seg_ros import __version__
from seg_ros.cli import COMMANDS, main
from seg_ros.core.errors import SettingError


def exit_code(*words):
    with pytest.raises(SystemExit) as raised:
        main(words)
    return raised.value.code


@pytest.fixture
def command(monkeypatch):
    """Stand in for `seg_ros run` with a function of the test's own."""
    module = import_module('seg_ros.commands.run')
    monkeypatch.setattr(module, 'add_arguments', lambda parser: None)
    return lambda function: monkeypatch.setattr(module, 'run', function)


@pytest.mark.parametrize('name', COMMANDS)
def test_the_help_of_every_command_ends_with_its_example(name, capsys):
    assert exit_code(name, '--help') == 0
    output = capsys.readouterr().out
    example = import_module(f'seg_ros.commands.{name}').EXAMPLE
    assert output.endswith(f'example:\n  {example}\n')
    assert example.startswith(f'seg_ros {name} ')


def test_the_overview_names_every_command_and_what_it_does(capsys):
    assert exit_code('--help') == 0
    output = ' '.join(capsys.readouterr().out.split())
    for name in COMMANDS:
        assert f'{name} {import_module(f"seg_ros.commands.{name}").SUMMARY}' in output


def test_the_version_is_printed(capsys):
    assert exit_code('--version') == 0
    assert capsys.readouterr().out == f'seg_ros {__version__}\n'


@pytest.mark.parametrize('words', [
    (), ('fly',), ('--',), ('--', 'run'), ('run',), ('run', 'a.png', '--out', 'o', '--fly'),
    ('run', 'a.png', '--out', 'o', '--over', '0.5'),
])
def test_words_that_cannot_be_used_are_refused_with_exit_code_2(words, capsys):
    assert exit_code(*words) == 2
    assert capsys.readouterr().err.startswith('usage: seg_ros')


def test_the_command_s_result_is_the_exit_code(command):
    command(lambda args: 7)
    assert main(['run']) == 7


def test_an_error_is_one_line_on_stderr_and_exit_code_1(command, capsys):
    def fail(args):
        raise SettingError('two\nlines', 'one', 'join them')

    command(fail)
    assert main(['run']) == 1
    captured = capsys.readouterr()
    assert captured.out == ''
    assert captured.err == 'seg_ros run: two lines; expected one; join them\n'


def test_ctrl_c_ends_quietly_with_exit_code_130(command, capsys):
    def interrupt(args):
        raise KeyboardInterrupt

    command(interrupt)
    assert main(['run']) == 130
    assert capsys.readouterr().err == ''


def test_a_mistake_of_ours_is_not_hidden(command):
    command(lambda args: SimpleNamespace().missing)
    with pytest.raises(AttributeError):
        main(['run'])


def test_as_a_process_it_fails_with_one_line():
    words = ['run', 'missing.png', '--out', 'nowhere']
    done = subprocess.run(
        [sys.executable, '-m', 'seg_ros.cli', *words], check=False, text=True,
        capture_output=True, timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr == 'seg_ros run: missing.png: there is no such file or folder\n'


def test_a_reader_that_goes_away_is_no_error():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, '-m', 'seg_ros.cli', 'doctor'], check=False, text=True, stdout=write,
        stderr=subprocess.PIPE, timeout=60,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, '')


@pytest.mark.parametrize('encoding', ['latin-1', 'ascii', 'cp1252', 'utf-8'])
@pytest.mark.parametrize('words', [
    ('--help',), ('run', '--help'), ('run', '\N{GREEK SMALL LETTER ALPHA}.png', '--out', 'o'),
    ('run', 'no such\udcff', '--out', 'o'),
])
def test_a_terminal_of_any_encoding_gets_the_words_that_it_can_show(encoding, words, tmp_path):
    done = subprocess.run(
        [sys.executable, '-m', 'seg_ros.cli', *words], cwd=tmp_path, capture_output=True,
        check=False, env={**os.environ, 'PYTHONIOENCODING': encoding, 'PYTHONUTF8': '0',
                          'PYTHONPATH': os.pathsep.join(sys.path)},
    )
    assert b'Traceback' not in done.stderr
    assert done.returncode == (0 if '--help' in words else 1)
    (done.stdout + done.stderr).decode(encoding)


PROCESS = """
import os, sys
from seg_ros.cli import main
from seg_ros.commands import run

def command(args):
{body}

run.add_arguments, run.run = (lambda parser: None), command
sys.argv = ['seg_ros', 'run']
sys.exit(main())
"""


def process(body, **options):
    lines = '\n'.join(f'    {line}' for line in body.splitlines())
    return subprocess.Popen(
        [sys.executable, '-c', PROCESS.format(body=lines)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)}, **options,
    )


def test_what_libraries_and_children_print_is_kept_out_of_stdout():
    child = process("os.write(1, b'EGL\\n')\nos.system('echo window')\nprint('{}')\nreturn 0")
    assert child.communicate(timeout=60) == ('{}\n', 'EGL\nwindow\n')
    assert child.returncode == 0


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_ended_from_outside_tidies_up(number):
    child = process(
        "import time\ntry:\n    os.write(2, b'.')\n    time.sleep(60)\n"
        "finally:\n    print('tidy')",
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),   # under nohup it is ignored
    )
    assert child.stderr.read(1) == '.'
    child.send_signal(number)
    assert child.communicate(timeout=60) == ('tidy\n', '')
    assert child.returncode == 128 + number


def test_a_signal_that_is_ignored_stays_ignored():
    child = process(
        'import signal\nprint(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)\nreturn 0',
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    assert child.communicate(timeout=60)[0] == 'True\n'


def test_a_closed_stdout_is_no_mistake_of_ours():
    child = process("print('nobody reads this')\nreturn 0", preexec_fn=lambda: os.close(1))
    assert child.communicate(timeout=60)[1] == ''
    assert child.returncode == 0


def test_files_do_not_get_the_numbers_of_closed_streams(tmp_path):
    child = process(
        f"with open({str(tmp_path / 'masks')!r}, 'wb') as file:\n"
        "    os.write(1, b'EGL')\n    os.write(2, b'warning')\n    file.write(b'masks')\n"
        "print('nobody reads this', file=sys.stderr)\nreturn 0",
        preexec_fn=lambda: os.closerange(0, 3),
    )
    child.communicate(timeout=60)
    assert child.returncode == 0
    assert (tmp_path / 'masks').read_bytes() == b'masks'


def test_what_the_system_refuses_is_one_line_with_its_place(command, capsys, tmp_path):
    command(lambda args: (tmp_path / 'folder').rmdir())
    assert main(['run']) == 1
    words = f'seg_ros run: {tmp_path / "folder"}: No such file or directory\n'
    assert capsys.readouterr() == ('', words)


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='there is no /dev/full')
def test_a_disk_that_is_full_under_stdout_is_one_line():
    with open('/dev/full', 'w') as full:
        done = subprocess.run(
            [sys.executable, '-m', 'seg_ros.cli', 'credits', '--json'], check=False, text=True,
            stdout=full, stderr=subprocess.PIPE, timeout=60,
        )
    words = 'seg_ros credits: stdout: No space left on device\n'
    assert (done.returncode, done.stderr) == (1, words)


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='there is no /dev/full')
def test_a_temporary_folder_that_is_full_is_named(command, capsys):
    def fill(args):
        with open('/dev/full', 'w') as full:
            full.write('weights')

    command(fill)
    assert main(['run']) == 1
    assert capsys.readouterr().err == (
        f'seg_ros run: {gettempdir()} (TMPDIR selects another folder): '
        'No space left on device\n'
    )
