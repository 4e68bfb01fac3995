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

"""Checks for options of `seg_ros train` that would have no effect."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from seg_ros.commands.options import refuse_unused
from seg_ros.core.errors import SettingError
from seg_ros.core.whole_file import check_output

# Attribute names of options that only one kind of network reads.
_PANOPTIC_ONLY = ('resume', 'device', 'paste', 'crop', 'frozen', 'keep')
_ARCH_ONLY = ('encoder', 'option', 'bfloat16')


def check_options(
    args: argparse.Namespace, declare: Callable[[argparse.ArgumentParser], None]
) -> None:
    """
    Check the options against each other and against the trained network.

    :param declare: declares the command's options.
    :raises SettingError: naming options that would have no effect, or an invalid value; or if
        --init would be overwritten.
    """
    if args.arch:
        refuse_unused(
            args, declare, _PANOPTIC_ONLY, 'with --arch',
            'other options: it is trained from the first step, on the CPU, on crops of --size',
            '--init OUTPUT/weights.pt starts from the weights of an earlier run'
            if args.resume else '',
        )
    else:
        refuse_unused(
            args, declare, _ARCH_ONLY, 'without --arch',
            '--arch ARCH, or the panoptic network as is',
        )
    for option, sides in (('--size', args.size), ('--crop', args.crop)):
        if any(side % 32 for side in sides):
            raise SettingError(f'{option} {sides[0]} {sides[1]}', 'multiples of 32')
    if args.init and not args.resume:
        check_output(args.output / ('weights.pt' if args.arch else 'weights.npz'), [args.init])
    begins = args.init is not None and args.init.suffix == '.npz'
    if args.keep == 1 or (args.keep and not begins):
        raise SettingError(f'--keep {args.keep:g}', 'from 0 to 1, with --init WEIGHTS.npz')


def check_data_options(args: argparse.Namespace, sources: Sequence[Any]) -> None:
    """
    Check the options against the kinds of the folders of --data.

    :param sources: of `open_sources`.
    :raises SettingError: if an option has no effect on any of them, or things are missing.
    """
    from seg_ros.training.label_folder import LabelFolder
    from seg_ros.training.photographs import Photographs

    listed = any(isinstance(source, Photographs) for source in sources)
    if (args.labels or args.listed != 'train') and not listed:
        raise SettingError(
            f'{"--labels" if args.labels else "--list"} without photographs',
            '--data with index.json', 'label images are found in labels/ without an option',
        )
    if args.classes and not any(isinstance(source, LabelFolder) for source in sources):
        raise SettingError(
            '--classes with data that name their classes', 'folders of images/ and labels/',
            'leave it out; labels/ beside panoptic.json are read only if that is moved away',
        )
    things = any(item['isthing'] for source in sources for item in source.categories)
    instances = any(not isinstance(source, LabelFolder) for source in sources)
    learnt = args.resume or (args.init and args.init.suffix == '.npz')
    if args.arch or (things and (instances or learnt)):
        return
    raise SettingError(
        'labels/ alone, which hold no instances' if things else 'no class of the data is a thing',
        'things and their instances, to train the panoptic network',
        "--arch ARCH trains a semantic network; instances are in COCO's panoptic format",
    )
