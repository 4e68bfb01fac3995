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

"""`seg_ros run`: masks of images, videos and bags as files."""

import argparse
from dataclasses import asdict
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seg_ros.commands.media.segment import Figures

SUMMARY = 'write the masks of images, videos and rosbag2 recordings into a folder'
EXAMPLE = 'seg_ros run street.jpg drive.mp4 --model model.onnx --out masks'
SETTINGS = (
    'model', 'engine', 'device', 'threads', 'inference_precision', 'score_threshold',
    'mask_threshold', 'min_confidence', 'classes', 'prompts', 'upsample', 'tracking', 'smoothing',
    'overlay_alpha', 'brightness_range',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from seg_ros.commands.options import add_settings

    parser.add_argument(
        'inputs', nargs='+', type=Path, metavar='IMAGE|VIDEO|BAG',
        help='images, folders of images, videos, rosbag2 recordings (sqlite3 or mcap)',
    )
    parser.add_argument('--out', type=Path, required=True, help='output folder')
    parser.add_argument(
        '--topic', action='append', default=[], dest='topics',
        help='image topic of a bag to read; may be repeated (default: images of cameras)',
    )
    parser.add_argument('--json', action='store_true', help='print the figures as one JSON object')
    add_settings(parser, SETTINGS)


def run(args: argparse.Namespace) -> int:
    """
    Segment all inputs; unreadable ones are reported on stderr, counted and skipped.

    :returns: 0, or 1 if an input was skipped.
    :raises SegError: if nothing can be read, or the model cannot be opened.
    """
    from seg_ros.commands.media.opened import opened
    from seg_ros.commands.media.segment import check_folder, segment_sources

    check_folder(args.out, args.inputs)
    with opened('run', args, SETTINGS) as (settings, progress, sources, segmenter, prompts):
        figures = segment_sources(
            sources, segmenter.segment, segmenter.card, args.out, settings.overlay_alpha,
            segmenter.timing, progress, prompts,
        )
    print(json.dumps(asdict(figures)) if args.json else _report(figures, args.out))
    return int(figures.skipped > 0)


def _report(figures: 'Figures', folder: Path) -> str:
    left_out = f' ({figures.skipped} skipped)' if figures.skipped else ''
    stages = ', '.join(f'{name} {median:.1f}' for name, median in figures.ms.items())
    return '\n'.join([
        f'images: {figures.images}{left_out}, instances: {figures.segments}',
        f'median milliseconds: {stages}',
        f'masks are in {folder}',
    ])
