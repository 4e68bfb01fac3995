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

"""`seg_ros render`: images of simulated worlds with their true masks, as COCO panoptic."""

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

SUMMARY = 'render simulated scenes with their true masks, to train on and to evaluate with'
EXAMPLE = 'seg_ros render --seed 1 --count 200 --split held-out -o held-out'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument('--seed', type=SEED, default=0, help='which images (default: 0)')
    parser.add_argument('--count', type=whole(1), default=100, help='how many (default: 100)')
    parser.add_argument(
        '--split', choices=('train', 'held-out'), default='train',
        help='which meshes and textures; the two have none in common (default: train)',
    )
    parser.add_argument(
        '--size', type=SIDE, nargs=2, default=(480, 640), metavar=('HEIGHT', 'WIDTH'),
        help='of the images (default: 480 640)',
    )
    parser.add_argument(
        '--scene', choices=('bin', 'table', 'room', 'bench'),
        help='of which kind; a bench has objects apart on a table, seen from little above its top '
        '(default: bins, tables and rooms)',
    )
    parser.add_argument(
        '--orbit', action='store_true',
        help='one table from a camera that circles, ten images a second, instead of many scenes',
    )
    parser.add_argument('--depth', action='store_true', help='write depth too, PNG, millimetres')
    parser.add_argument(
        '--workers', type=whole(1), default=os.cpu_count() or 1,
        help='processes (default: one a core)',
    )
    parser.add_argument('-o', '--output', type=Path, required=True, help='the folder to write')
    parser.add_argument('--json', action='store_true', help='print the figures as one object')


def run(args: argparse.Namespace) -> int:
    """
    Render, write and report what is in the images.

    :raises SegError: if PyBullet is missing or the folder takes no files.
    """
    from seg_ros.commands.coco_panoptic import CocoPanoptic
    from seg_ros.commands.figures import print_figures
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
            table.write(name, _written(args, name, sample), sample.truth)
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
            shot, truth = table.shoot()
            depth = np.clip(shot.depth_m * 1000, 0, 65535).astype(np.uint16)
            yield f'{number:04d}', Sample(shot.rgb, depth, truth)


def _samples(args: argparse.Namespace) -> Generator[tuple[str, 'Sample'], None, None]:
    """Yield the first `count` images of the seed's worlds, rendered in parallel."""
    from seg_ros.sim.dataset import SCENES, VIEWS

    scenes = min(SCENES, args.count)
    # One world more, since views that show nothing are left out.
    worlds = range(-(-args.count // (scenes * VIEWS - scenes // 4)) + 1)
    draw = partial(_world, args.seed, args.split, tuple(args.size), scenes, args.scene)
    done = 0
    # A process forked from one that uses OpenGL would hang.
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
    import cv2
    from seg_ros.commands.masks import write_file
    from seg_ros.commands.source_image import SourceImage
    from seg_ros.core.frame import Frame
    from seg_ros.image.file_writing import encode_png

    quality = [cv2.IMWRITE_JPEG_QUALITY, 93]
    jpeg = cv2.imencode('.jpg', sample.rgb[..., ::-1], quality)[1].tobytes()
    write_file(args.output / 'images' / f'{name}.jpg', jpeg)
    if args.depth:
        write_file(args.output / 'depth' / f'{name}.png', encode_png(sample.depth_mm))
    return SourceImage(name, f'{name}.jpg', Frame(sample.rgb))


class _Tally:
    """Counts of what the images hold."""

    def __init__(self) -> None:
        self._crowded: list[int] = []
        self._moving = 0

    def add(self, sample: 'Sample') -> None:
        import numpy as np
        from seg_ros.sim.classes import PERSON, ROBOT
        from seg_ros.sim.ground_truth import crowded

        self._crowded.append(crowded(sample.truth))
        classes = np.asarray(sample.truth.classes)
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
