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

"""Segment the images of all sources, and write the masks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from seg_ros.commands.media.coco_panoptic import CocoPanoptic
from seg_ros.commands.media.mask_files import MaskFiles
from seg_ros.commands.media.overlay_video import OverlayVideo
from seg_ros.commands.media.source_image import Source, SourceImage
from seg_ros.commands.media.unique_names import UniqueNames
from seg_ros.commands.progress import Progress
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import ImageError, SettingError
from seg_ros.core.frame import Frame
from seg_ros.core.prompts import Prompt
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.timing import Timing
from seg_ros.temporal.temporal_filter import TemporalFilter


class Sink(Protocol):
    """A receiver of masks."""

    def write(self, name: str, image: SourceImage, segmentation: Segmentation) -> None:
        """
        Write the masks of one image.

        :param name: unique in the run.
        """


@dataclass
class Figures:
    """
    The figures of a run.

    :param segments: instances in all images.
    :param ms: median milliseconds by stage.
    """

    images: int = 0
    skipped: int = 0
    segments: int = 0
    ms: dict[str, float] = field(default_factory=dict)


def segment_sources(
    sources: Sequence[Source],
    segment: Callable[[Frame, TemporalFilter], Segmentation],
    card: ModelCard,
    folder: Path,
    overlay_alpha: float,
    timing: Timing,
    progress: Progress,
    prompts: Sequence[Prompt] = (),
) -> Figures:
    """
    Write the masks of all images; for each recording or video also one of the masks.

    :param segment: returns a complete segmentation, with the state of the image's camera.
    :param overlay_alpha: opacity of the colours in overlays.
    :param prompts: for a promptable model; in videos and recordings they belong to the first image
        and then track their objects.
    :raises ImageError: if no image could be read.
    :raises SettingError: if the files cannot be written.
    """
    figures = Figures()
    names = UniqueNames()
    paths = _recording_paths(sources, folder)
    with progress.over(sum(map(len, sources))), CocoPanoptic(folder, card) as coco:
        files: list[Sink] = [MaskFiles(folder, card, overlay_alpha), coco]
        for source, path in zip(sources, paths, strict=True):
            with _recording(source, path, card, overlay_alpha) as recording:
                for image, masks in segmented(source, segment, timing, progress, prompts):
                    name = names.claim(image.name)
                    with timing.stage('write'):
                        for sink in [*files, *recording]:
                            sink.write(name, image, masks)
                    figures.images += 1
                    figures.segments += len(masks.segments)
    if not figures.images:
        raise ImageError(f'none of {progress.skipped} images could be read')
    figures.skipped = progress.skipped
    figures.ms = _medians(timing)
    return figures


def check_folder(folder: Path, inputs: Sequence[Path]) -> None:
    """
    Refuse to overwrite inputs with masks.

    :raises SettingError: if an input is where masks or overlay videos would be written.
    """
    videos = UniqueNames()
    places = [folder / kind for kind in ('semantic', 'instance', 'overlay', 'panoptic')]
    places += [_overlay_path(folder, videos) for _ in inputs]
    for place in places:
        for path in inputs:
            if place.resolve() in (path.resolve(), path.resolve().parent):
                raise SettingError(
                    f'{path} is where masks go, at {place.absolute()}', 'inputs elsewhere',
                    'choose another --out',
                )


def _overlay_path(folder: Path, names: UniqueNames) -> Path:
    return folder / f'{names.claim("overlay")}.mp4'


def segmented(
    source: Source, segment: Callable[[Frame, TemporalFilter], Segmentation], timing: Timing,
    progress: Progress, prompts: Sequence[Prompt] = (),
) -> Iterator[tuple[SourceImage, Segmentation]]:
    """
    Yield each image of a source with its masks; unreadable images are skipped.

    :param segment: returns the masks of a frame, with the state of its camera.
    :param prompts: for each camera's first image, and for every single image.
    """
    images = source.images(progress.skip)
    cameras: dict[str, TemporalFilter] = {}
    while True:
        with timing.stage('read'):
            image = next(images, None)
        if image is None:
            return
        if image.topic not in cameras:
            cameras[image.topic] = TemporalFilter()
            cameras[image.topic].prompts.ask(prompts)
        elif not (source.rate_hz or source.storage):    # single images
            cameras[image.topic].prompts.ask(prompts)
        try:
            masks = segment(_timed(image), cameras[image.topic])
        except ImageError as error:
            progress.skip(image.source, error)
        else:
            if problem := cameras[image.topic].prompts.unanswered:
                progress.note(f'{image.source}: prompts: {problem}')
            yield image, masks
            progress.step()


def _timed(image: SourceImage) -> Frame:
    """Return the frame to segment; without a stamp it gets the bag's receive time."""
    if image.frame.stamp_ns:
        return image.frame
    return replace(image.frame, stamp_ns=image.received_ns)


def _recording_paths(sources: Sequence[Source], folder: Path) -> list[Path]:
    """Choose the paths of output bags and videos, before anything is written."""
    names = UniqueNames()
    paths = [
        folder / names.claim('bag') if source.storage
        else _overlay_path(folder, names) if source.rate_hz else folder
        for source in sources
    ]
    taken = [
        path for source, path in zip(sources, paths, strict=True)
        if source.storage and path.exists()
    ]
    if taken:
        raise SettingError(
            f'{taken[0]} exists already', 'a new folder for the recording', 'choose another --out'
        )
    return paths


@contextmanager
def _recording(
    source: Source, path: Path, card: ModelCard, alpha: float
) -> Iterator[list[Sink]]:
    """Open a bag for the masks of a bag, a video for the overlays of a video."""
    if source.storage:
        from seg_ros.commands.media.bag_writer import BagWriter

        with BagWriter(path, source.storage) as writer:
            yield [writer]
    elif source.rate_hz:
        with OverlayVideo(path, source.rate_hz, card, alpha) as video:
            yield [video]
    else:
        yield []


def _medians(timing: Timing) -> dict[str, float]:
    quantiles = {stage: timing.quantiles(stage) for stage in timing.stages()}
    return {stage: round(found[0], 3) for stage, found in quantiles.items() if found}
