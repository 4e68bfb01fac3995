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

"""`seg_ros COMMAND …`: run a command, and report its errors in one line."""

import argparse
from codecs import register_error
from collections.abc import Callable, Sequence
from errno import EDQUOT, ENOSPC
from importlib import import_module
from io import BufferedWriter, FileIO, TextIOWrapper
import os
import signal
import sys
from tempfile import gettempdir
from types import FrameType
from typing import Any
from unicodedata import normalize

from seg_ros import __version__
from seg_ros.core.errors import SegError

COMMANDS = (
    'export', 'compile', 'build', 'inspect', 'run', 'eval', 'render', 'train', 'bench', 'selftest',
    'view', 'doctor', 'demo', 'credits',
)
# Packages that tools need and the robot does not.
COMPILING = ('google', 'onnx', 'onnxruntime', 'spox')
INTERRUPTED, BROKEN_PIPE = 130, 141  # what a shell reports for SIGINT and SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run one command.

    :param argv: the arguments after `seg_ros`. Defaults to those of the process.
    :returns: the exit code: 0, 1 after an error, 130 after Ctrl-C.
    :raises SystemExit: by argparse: 0 after `--help` and `--version`, 2 for invalid arguments.
        Without `argv` also 143 after SIGTERM and 129 after SIGHUP.
    """
    if argv is None:
        _open_closed_streams()
        _exit_on_signals()
        _keep_stdout()
    _replace_unencodable()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:
        return INTERRUPTED


def _open_closed_streams() -> None:
    """Open /dev/null as streams that are closed: otherwise files would get their numbers."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:      # stdin 0, stdout 1, stderr 2
        pass
    os.close(number)
    sys.stdout = sys.stdout or os.fdopen(1, 'w', closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, 'w', closefd=False)


def _exit_on_signals() -> None:
    """Exit orderly on SIGTERM and SIGHUP, as on Ctrl-C: complete files, end processes."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:      # nohup ignores SIGHUP
            signal.signal(number, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _keep_stdout() -> None:
    """Keep stdout for our own output: C libraries, such as PyBullet, print to stderr instead."""
    out, err = sys.stdout, sys.stderr
    if isinstance(out, TextIOWrapper) and isinstance(err, TextIOWrapper):
        own = BufferedWriter(_Stdout(os.dup(out.fileno()), 'wb'))
        os.dup2(err.fileno(), out.fileno())
        sys.stdout = TextIOWrapper(own, out.encoding, line_buffering=out.line_buffering)


class _Stdout(FileIO):
    """Stdout, which is named in its errors, as files are in theirs."""

    place = 'stdout'

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = self.place
            raise


def _replace_unencodable() -> None:
    """Replace characters that the terminal's encoding lacks by similar ones."""
    register_error('nearest', _nearest)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors='nearest')


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """Return the nearest ASCII text, such as `...` for an ellipsis, or else an escape sequence."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start:error.end]
    plain = ''.join(
        normalize('NFKD', letter).encode('ascii', 'ignore').decode()
        or letter.encode('ascii', 'backslashreplace').decode()
        for letter in letters
    )
    return plain, error.end


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in COMMANDS:
        overview = _overview()
        overview.parse_args(arguments)
        overview.error('the first argument must be a command')
    name, *rest = arguments
    command = import_module(f'seg_ros.commands.{name}')
    parser = argparse.ArgumentParser(
        f'seg_ros {name}',
        description=f'{command.SUMMARY[0].upper()}{command.SUMMARY[1:]}.',
        epilog=f'example:\n  {command.EXAMPLE}',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    args = parser.parse_args(rest)
    return _exit_code(name, lambda: command.run(args))


def _overview() -> argparse.ArgumentParser:
    """Return the parser of `seg_ros` itself, with the names and summaries of the commands."""
    parser = argparse.ArgumentParser(
        'seg_ros',
        description='Semantic, instance and panoptic segmentation of camera images.',
        epilog='seg_ros COMMAND --help shows more, with an example.',
    )
    parser.add_argument('--version', action='version', version=f'seg_ros {__version__}')
    commands = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    for name in COMMANDS:
        commands.add_parser(name, help=import_module(f'seg_ros.commands.{name}').SUMMARY)
    return parser


def _exit_code(name: str, run: Callable[[], int]) -> int:
    try:
        code = run()
        sys.stdout.flush()
    except SegError as error:
        print(f'seg_ros {name}: {" ".join(str(error).split())}', file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        package = (error.name or '').partition('.')[0]
        if package not in COMPILING:
            raise
        print(
            f"seg_ros {name}: {package} is not installed; pip install 'seg_ros[compile]'",
            file=sys.stderr,
        )
        return 1
    except OSError as error:
        if error.errno is None:     # not from the system
            raise
        if error.filename == _Stdout.place:
            # The interpreter flushes it again at exit, which would print another error.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return BROKEN_PIPE
        print(f'seg_ros {name}: {_place(error)}{error.strerror}', file=sys.stderr)
        return 1
    return code


def _place(error: OSError) -> str:
    if error.filename is not None:
        return f'{error.filename}: '
    # Writing names no file in errors, but output files raise SettingError: it is a temporary one.
    is_full = error.errno in (ENOSPC, EDQUOT)
    return f'{gettempdir()} (TMPDIR selects another folder): ' if is_full else ''


if __name__ == '__main__':
    sys.exit(main())
