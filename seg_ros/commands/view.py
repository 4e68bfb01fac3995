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
"""`seg_ros view`: masks of files, or of a running node, in Rerun."""

import argparse
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from seg_ros.core.errors import SegError, SettingError

if TYPE_CHECKING:
    from seg_ros.demo.rerun_log import RerunLog

SUMMARY = 'show masks of images, videos or a running node in the viewer Rerun'
EXAMPLE = 'seg_ros view street.jpg drive.mp4 --model model.onnx'
SETTINGS = (
    'model', 'engine', 'device', 'threads', 'score_threshold', 'min_confidence', 'classes',
    'prompts', 'tracking', 'smoothing', 'brightness_range',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from seg_ros.commands.options import add_settings

    parser.add_argument(
        'inputs', nargs='*', type=Path, metavar='IMAGE|VIDEO|BAG',
        help='images, folders of images, videos, rosbag2 recordings (default: a running node)',
    )
    parser.add_argument(
        '--topic', action='append', default=[], dest='topics',
        help='image topic of a bag to read; may be repeated (default: images of cameras)',
    )
    parser.add_argument(
        '--node', default='/segmentation', help='the node to follow (default: /segmentation)'
    )
    parser.add_argument('--camera', default='camera', help='camera of the node (default: camera)')
    places = parser.add_mutually_exclusive_group()
    places.add_argument(
        '--web', action='store_true',
        help='serve a web page on port 9090 instead of opening a window, for a machine without a '
        'display; images are sent over port 9876',
    )
    places.add_argument('--save', type=Path, metavar='FILE.rrd', help='write a file instead')
    add_settings(parser, SETTINGS)


def run(args: argparse.Namespace) -> int:
    """
    Show masks as they are computed; with `--web` serve them until Ctrl-C.

    :raises SegError: if Rerun is missing, nothing can be read, or the model cannot be opened.
    """
    from seg_ros.commands.options import refuse_unused
    from seg_ros.demo.rerun_log import FILE_VIEWS, open_rerun, WEB_PAGE

    if args.save and args.save.suffix != '.rrd':
        raise SettingError(f'--save {args.save}', 'a file named .rrd')
    if not args.inputs:
        refuse_unused(args, add_arguments, ('topics', *SETTINGS), 'without files', 'files to show')
        return _view_node(args)
    refuse_unused(args, add_arguments, ('node', 'camera'), 'with files', 'files or a node to show')
    with open_rerun(FILE_VIEWS, args.save, args.web) as log:
        skipped = _view_files(args, log)
        if args.web:
            print(f'open {WEB_PAGE} and end with Ctrl-C', flush=True)
            while True:
                sleep(1)
    return int(skipped > 0)


def _view_files(args: argparse.Namespace, log: 'RerunLog') -> int:
    """Show the masks of every image; return the number of skipped images."""
    from seg_ros.commands.media.opened import opened
    from seg_ros.commands.media.segment import segmented

    number = 0
    with opened('view', args, SETTINGS) as (_, progress, sources, segmenter, prompts):
        log.card(segmenter.card)
        with progress.over(sum(map(len, sources))):
            for source in sources:
                for image, masks in segmented(
                    source, segmenter.segment, segmenter.timing, progress, prompts
                ):
                    log.at(number)
                    log.masks(image.frame, masks, segmenter.card)
                    number += 1
    return progress.skipped


def _view_node(args: argparse.Namespace) -> int:
    from seg_ros.demo.rerun_log import NODE_VIEWS, open_rerun, WEB_PAGE

    try:
        from seg_ros.demo.node_viewer import follow_node
    except ImportError as error:
        raise SegError(
            f'ROS 2 cannot be imported ({error})', 'rclpy, or files to show',
            'source ROS 2 or run make setup',
        ) from error
    with open_rerun(NODE_VIEWS, args.save, args.web) as log:
        where = f'open {WEB_PAGE} and ' if args.web else ''
        print(f'{where}end with Ctrl-C', flush=True)
        follow_node(f'{args.node}/{args.camera}', log)
    return 0
