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

"""Find arguments of the process without effect: misspelt parameters, files for another node."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any

from seg_ros.core.errors import SettingError
from seg_ros.core.shown import did_you_mean
from seg_ros.params_file import matches, sections
from seg_ros.ros.parameters import FIELDS

ANY_NODE = '/**'
# rclpy declares them only when a topic is opened.
LATER = ('qos_overrides',)


def unused_parameters(
    arguments: Sequence[str], node: str, is_known: Callable[[str], bool]
) -> Iterator[str]:
    """
    Yield a warning for each ROS argument without effect, with what may have been meant.

    :param arguments: process arguments, with `--ros-args`, `-p NAME:=VALUE` and `--params-file`.
    :param node: fully qualified name of the node.
    :param is_known: whether the node has declared a parameter.
    """
    for flag, value in _options(arguments):
        if flag == '--params-file':
            yield from _of_file(Path(value), node, is_known)
        else:
            target, _, name = value.partition(':=')[0].rpartition(':')
            if not target or matches(target, node) or target == node.rpartition('/')[2]:
                yield from _unknown([name], is_known, 'parameter')


def _options(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the parameters among ROS arguments, as (`-p` or `--params-file`, value)."""
    ros_words, _ = _split(arguments)
    for word, value in pairwise(ros_words):
        if word in ('-p', '--param'):
            yield '-p', value
        elif word == '--params-file':
            yield word, value


def unused_words(arguments: Sequence[str]) -> list[str]:
    """Return the arguments after the process' name that are not ROS arguments."""
    return _split(arguments[1:])[1]


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split arguments as rcl does: those from `--ros-args` to `--` or the end, and the others."""
    ros_words: list[str] = []
    others: list[str] = []
    for_ros = False
    for word in arguments:
        if word in ('--ros-args', '--'):
            for_ros = word == '--ros-args'
        (ros_words if for_ros else others).append(word)
    return ros_words, [word for word in others if word != '--']


def _of_file(path: Path, node: str, is_known: Callable[[str], bool]) -> Iterator[str]:
    try:
        found = list(sections(path))
    except SettingError:    # rcl has refused the file already
        return
    own = [(name, values) for name, values in found if matches(name, node)]
    others = [name for name, _ in found if not matches(name, node)]
    alike = get_close_matches(node, others, 1, 0.7)
    if others and not own:
        yield (
            f'{path} sets parameters of {", ".join(others)}, but none of {node}: name its section '
            f'{node} or {ANY_NODE}'
        )
    elif alike and all(name == ANY_NODE for name, _ in own):
        yield f'{path} sets parameters of {alike[0]}, which is not this node, {node}'
    for name, values in own:
        # Parameters of `/**` may be for other nodes.
        yield from _unknown(_names(values), is_known, f'{path}: parameter', name == ANY_NODE)


def _names(values: Mapping[str, Any], prefix: str = '') -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _names(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}'


def _unknown(
    names: Iterable[str], is_known: Callable[[str], bool], what: str, only_alike: bool = False
) -> Iterator[str]:
    for name in names:
        if is_known(name) or name.startswith(LATER):
            continue
        meant = did_you_mean(name, FIELDS)
        if meant or not only_alike:
            ignored = f'{what} {name} is ignored: this node does not have it'
            yield '; '.join(filter(None, (ignored, meant)))
