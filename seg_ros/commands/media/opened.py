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

"""Inputs and model of the commands that segment files."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
import warnings

from seg_ros.api import Segmenter
from seg_ros.api.segmenter import SETTINGS
from seg_ros.commands.media.source_image import Source
from seg_ros.commands.media.sources import open_sources
from seg_ros.commands.options import settings_from_args
from seg_ros.commands.progress import build_report, Progress
from seg_ros.core.errors import SettingError
from seg_ros.core.prompts import Prompt, prompts_from_texts
from seg_ros.core.settings import Settings


class Opened(NamedTuple):
    """The opened inputs and model of a command, and its prompts."""

    settings: Settings
    progress: Progress
    sources: Sequence[Source]
    segmenter: Segmenter
    prompts: Sequence[Prompt]


@contextmanager
def opened(command: str, args: argparse.Namespace, names: Sequence[str]) -> Iterator[Opened]:
    """
    Open the inputs and the model of a command that segments files.

    :param command: name of the command, which precedes its messages.
    :param names: names of the settings among its options.
    :raises SegError: if nothing can be read, or the model cannot be opened.
    """
    settings = settings_from_args(args, names)
    progress = Progress(command, len(args.inputs))
    sources = open_sources(
        args.inputs, args.topics, progress.skip, progress.note, settings.brightness_range
    )
    if not progress.skipped:
        _refuse_options_of_recordings(args, settings, sources)
    with build_report(command) as report:
        chosen = {name: getattr(settings, name) for name in SETTINGS}
        chosen['prompts'] = ()      # given with the first image, then tracked
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')     # its notes are printed below
            segmenter = Segmenter(settings.model, report=report, **chosen)
    with segmenter:
        for note in segmenter.facts.notes:
            progress.note(note)
        yield Opened(settings, progress, sources, segmenter, _prompts_for(segmenter, settings))


def _refuse_options_of_recordings(
    args: argparse.Namespace, settings: Settings, sources: Sequence[Source]
) -> None:
    """Refuse options that have no effect on these inputs."""
    if args.topics and not any(source.storage for source in sources):
        raise SettingError('--topic without a recording', 'a rosbag2 recording among the inputs')
    if any(source.storage or source.rate_hz for source in sources):
        return
    for name in ('tracking', 'smoothing'):
        if getattr(settings, name):
            raise SettingError(
                f'--{name} with single images, which are not a sequence',
                'a video or a rosbag2 recording among the inputs',
            )


def _prompts_for(segmenter: Segmenter, settings: Settings) -> tuple[Prompt, ...]:
    """
    Read the prompts, which only promptable models need and accept.

    :param segmenter: opened without prompts, so that these track their objects.
    :raises SettingError: if they cannot be read, or a promptable model has none.
    :raises PromptError: if the model does not support them.
    """
    prompts = prompts_from_texts(settings.prompts)
    if segmenter.card.task == 'promptable' and not prompts:
        raise SettingError(
            f'no prompts for {segmenter.card.name}, a promptable model',
            do="name an object, such as --prompts '40 60 200 180'",
        )
    segmenter.check_prompts(prompts)
    return prompts
