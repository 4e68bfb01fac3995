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

"""Settings as command-line options."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import fields
import re

from seg_ros.core.errors import SettingError
from seg_ros.core.settings import Settings

# Flags of options whose attribute has another name.
_FLAGS = {'topics': 'topic', 'listed': 'list'}
_FORMS = {'prompts': 'PROMPT,PROMPT'}    # of lists, in --help


def add_settings(parser: argparse.ArgumentParser, names: Sequence[str]) -> None:
    """
    Declare an option for each of the settings called `names`.

    Options for lists take names separated by commas, and may be repeated.
    """
    items = {item.name: item for item in fields(Settings)}
    for item in (items[name] for name in names):
        flag, meaning = f'--{item.name.replace("_", "-")}', item.metadata['meaning']
        meaning = meaning.replace('%', '%%')
        if type(item.default) is bool:
            action = argparse.BooleanOptionalAction
            parser.add_argument(flag, action=action, default=item.default, help=meaning)
            continue
        if type(item.default) is tuple:
            parser.add_argument(
                flag, type=_split, action='extend', metavar=_FORMS.get(item.name, 'NAME,NAME'),
                help=f'{meaning} May be repeated; a comma within a name is written \\,',
            )
            continue
        parser.add_argument(
            flag, type=type(item.default), default=item.default,
            choices=item.metadata['choices'] or None,
            help=f'{meaning} (default: {item.default})' if item.default != '' else meaning,
        )


def settings_from_args(args: argparse.Namespace, names: Sequence[str]) -> Settings:
    """
    Return the chosen settings; a model's path may be relative to the working folder.

    :raises SettingError: if a value is out of its range.
    """
    from seg_ros.engines.model_path import absolute_model

    values = {name: getattr(args, name) for name in names}
    # `extend` options have no default, since given values would be added to it.
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items() if value is not None
    }
    return Settings(**{**values, 'model': absolute_model(args.model)})


def refuse_unused(
    args: argparse.Namespace, declare: Callable[[argparse.ArgumentParser], None],
    names: Sequence[str], seen: str, expected: str, do: str = '',
) -> None:
    """
    Refuse options that would have no effect.

    :param declare: declares the command's options; their defaults are needed.
    :param names: attribute names of the options in `args`.
    :param seen: what the options were combined with, for the message.
    :raises SettingError: naming those that were given.
    """
    parser = argparse.ArgumentParser()
    declare(parser)
    unused = [name for name in names if getattr(args, name) != parser.get_default(name)]
    if unused:
        flags = ', '.join(f'--{_FLAGS.get(name, name).replace("_", "-")}' for name in unused)
        raise SettingError(f'{flags} {seen}', expected, do)


def _split(text: str) -> tuple[str, ...]:
    """Split at commas that are not escaped by a backslash."""
    return tuple(name.replace('\\,', ',') for name in re.split(r'(?<!\\),', text))
