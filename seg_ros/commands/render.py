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

"""`seg_ros render`: images of simulated worlds with ground truth, as COCO panoptic."""

import argparse
from collections.abc import Generator
from contextlib import closing
from functools import partial
from multiprocessing import get_context
import os
from pathlib import Path
from typing import Any, TYPE_CHECKING

from seg_ros.core.errors import SettingError
from seg_ros.core.number_options import SEED, SIDE, whole

if TYPE_CHECKING:
    from seg_ros.sim.dataset import Sample

SUMMARY = 'render simulated scenes with ground truth, for training and evaluation'
EXAMPLE = 'seg_ros render --seed 1 --count 200 --split held-out -o held-out'
JPEG_QUALITY = 93


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('--seed', type=SEED, default=0, help='random seed (default: 0)')
    parser.add_argument(
        '--count', type=whole(1), default=100, help='number of images (default: 100)'
    )
    parser.add_argument(
        '--split', choices=('train', 'held-out'), default='train',
        help='set of meshes and textures; the two sets are disjoint (default: train)',
    )
    parser.add_argument(
        '--size', type=SIDE, nargs=2, default=(480, 640), metavar=('HEIGHT', 'WIDTH'),
        help='image size (default: 480 640)',
    )
    parser.add_argument(
        '--scene', choices=('bin', 'table', 'room', 'bench'),
        help='kind of scene; a bench has separate objects on a table, seen from just above its '
        'top (default: bins, tables and rooms)',
    )
    parser.add_argument(
        '--orbit', action='store_true',
        help='one table, seen by a circling camera at ten images per second, not many scenes',
    )
    parser.add_argument('--depth', action='store_true', help='also write depth: PNG, mm')
    parser.add_argument(
        '--workers', type=whole(1), default=os.cpu_count() or 1,
        help='number of processes (default: one per core)',
    )
    parser.add_argument('-o', '--output', type=Path, required=True, help='output folder')
    parser.add_argument('--json', action='store_true', help='print the figures as one JSON object')


def run(args: argparse.Namespace) -> int:
    """
    Render, write and report what is in the images.

    :raises SegError: if PyBullet is missing or a file cannot be written.
    """
    from seg_ros.commands.figures import print_figures
    from seg_ros.commands.media.coco_panoptic import CocoPanoptic
    from seg_ros.commands.options import refuse_unused
    from seg_ros.commands.progress import Progress
    from seg_ros.sim.classes import CARD

    if args.orbit:
        names = ('scene', 'workers')
        refuse_unused(args, add_arguments, names, 'with --orbit', 'scenes, without --orbit')
    try:
        import seg_ros.sim.dataset  # noqa: F401
    except ImportError as error:
        raise SettingError(
            f'rendering without {error.name}', 'PyBullet', 'pip install "seg_ros[sim]"'
        ) from error
    tally = _Tally()
    progress = Progress('render', args.count)
    with (
        CocoPanoptic(args.output, CARD) as table, progress.over(args.count),
        closing(_orbit(args) if args.orbit else _samples(args)) as samples,
    ):
        for name, sample in samples:
            table.write(name, _written(args, name, sample), sample.ground_truth)
            tally.add(sample)
            progress.step()
        if not tally.images:
            height, width = args.size
            raise SettingError(f'--size {height} {width}, at which no view shows anything')
    print_figures({'folder': str(args.output), **tally.figures()}, args.json)
    return 0


def _orbit(args: argparse.Namespace) -> Generator[tuple[str, 'Sample'], None, None]:
    """Yield images of a camera that circles one table."""
    import numpy as np
    from seg_ros.sim.dataset import Sample
    from seg_ros.sim.orbit import OrbitedTable
    from seg_ros.sim.playback import RATE_HZ

    with closing(OrbitedTable(args.seed, args.split, tuple(args.size))) as table:
        for number in range(args.count):
            table.advance(1 / RATE_HZ)
            rendered, truth = table.render()
            depth = np.clip(rendered.depth_m * 1000, 0, 65535).astype(np.uint16)
            yield f'{number:04d}', Sample(rendered.rgb, depth, truth)


def _samples(args: argparse.Namespace) -> Generator[tuple[str, 'Sample'], None, None]:
    """Yield the first `count` images of the seed's worlds, rendered in parallel."""
    from seg_ros.sim.dataset import SCENES, VIEWS

    scenes = min(SCENES, args.count)
    # One extra world, since views that show nothing are left out.
    worlds = range(-(-args.count // (scenes * VIEWS - scenes // 4)) + 1)
    draw = partial(_world, args.seed, args.split, tuple(args.size), scenes, args.scene)
    done = 0
    # A fork of a process that uses OpenGL would hang.
    with get_context('spawn').Pool(min(args.workers, len(worlds))) as pool:
        for world, samples in enumerate(pool.imap(draw, worlds)):
            for number, sample in enumerate(samples[:args.count - done]):
                yield f'{world:04d}_{number:03d}', sample
            done += len(samples)
            if done >= args.count:
                return


def _world(
    seed: int, split: Any, size_hw: tuple[int, int], scenes: int, scene: Any, world: int
) -> list['Sample']:
    from seg_ros.sim.dataset import world_samples

    return list(world_samples(seed, world, split, size_hw, scenes, scene))


def _written(args: argparse.Namespace, name: str, sample: 'Sample') -> Any:
    """Write a sample's image, and its depth if asked for."""
    from seg_ros.commands.media.source_image import SourceImage
    from seg_ros.commands.output_file import write_file
    from seg_ros.core.frame import Frame
    from seg_ros.image.file_writing import encode_jpeg, encode_png

    write_file(args.output / 'images' / f'{name}.jpg', encode_jpeg(sample.rgb, JPEG_QUALITY))
    if args.depth:
        write_file(args.output / 'depth' / f'{name}.png', encode_png(sample.depth_mm))
    return SourceImage(name, f'{name}.jpg', Frame(sample.rgb))


class _Tally:
    """Statistics of the content of the images."""

    def __init__(self) -> None:
        self._crowded: list[int] = []
        self._moving = 0

    def add(self, sample: 'Sample') -> None:
        import numpy as np
        from seg_ros.sim.classes import PERSON, ROBOT
        from seg_ros.sim.ground_truth import crowded

        self._crowded.append(crowded(sample.ground_truth))
        classes = np.asarray(sample.ground_truth.classes)
        self._moving += bool(np.isin(classes, (ROBOT, PERSON)).mean() > 0.002)

    @property
    def images(self) -> int:
        return len(self._crowded)

    def figures(self) -> dict[str, Any]:
        from statistics import median

        return {
            'images': self.images,
            'touching or occluding instances, median': median(self._crowded),
            'with robots or people, %': round(100 * self._moving / self.images),
        }
