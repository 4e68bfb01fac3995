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

"""Evaluation of a model and baselines on a data set."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from seg_ros.commands.evaluation.ground_truth import Example, Examples, Truth
from seg_ros.commands.evaluation.matching import match_classes, Matching
from seg_ros.commands.progress import Progress
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import ImageError
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.core.settings import Settings
from seg_ros.core.whole_file import open_plain
from seg_ros.image.encodings import frame_from_file
from seg_ros.image.exif_orientation import upright
from seg_ros.metrics.scores import Scores
from seg_ros.pipeline.process import segment
from seg_ros.pipeline.serving_model import open_serving_model, ServingModel

Find: TypeAlias = Callable[[Frame], Segmentation]
Observer: TypeAlias = Callable[[Example, Frame, Truth, Segmentation], None]
CONSTANT = 'constant'


@dataclass(frozen=True)
class Contender:
    """
    A model or baseline under evaluation.

    :param find: returns the masks of a frame, with the ids of the scored classes.
    :param card: the scored classes, with the contender's task.
    """

    name: str
    find: Find
    card: ModelCard


@dataclass(frozen=True)
class Subject:
    """
    A data set and the classes that are scored.

    :param matching: maps the data's classes to those that the model has too. Only these are
        scored; pixels of other classes count as unknown.
    """

    examples: Examples
    matching: Matching

    @property
    def card(self) -> ModelCard:
        """Return the classes that are scored."""
        return self.matching.card

    def truth(self, example: Example) -> Truth:
        """
        Read the ground truth of an image.

        :raises ImageError: if it cannot be read.
        """
        truth = example.truth()
        return truth._replace(segmentation=self.matching.renamed(truth.segmentation))


def subject_for(examples: Examples, model: ModelCard) -> Subject:
    """
    Select the classes of the data that the model has, with the model's colours and roles.

    :raises SettingError: if there are none.
    """
    table = match_classes(model, examples.card).table
    twins = {int(table[item.id]): item for item in model.classes}
    classes = tuple(
        replace(item, color=twins[item.id].color, roles=twins[item.id].roles)
        for item in examples.card.classes if item.id in twins
    )
    return Subject(examples, match_classes(examples.card, replace(examples.card, classes=classes)))


def model_contender(segmenter: ServingModel, subject: Subject) -> Contender:
    """Return the model as a contender; it segments as the node does."""
    matching = match_classes(segmenter.card, subject.card)
    card = replace(subject.card, task=segmenter.card.task)
    return Contender('model', lambda frame: matching.renamed(segment(frame, segmenter)), card)


def baselines(names: Sequence[str], subject: Subject, stack: ExitStack) -> list[Contender]:
    """
    Open the baselines.

    A classical method only separates objects from background. These are mapped to the most
    frequent thing class and the most frequent stuff class of the data.

    :param stack: closes their engines.
    """
    if not names:
        return []
    often = _by_frequency(subject)
    found = []
    for name in names:
        if name == CONSTANT:
            found.append(Contender(name, _constant(often[0], subject.card), subject.card))
            continue
        settings = Settings(model=name, engine='classical')
        segmenter = open_serving_model(settings)
        stack.callback(segmenter.close)
        found.append(_classical(name, segmenter, often, subject.card))
    return found


def _by_frequency(subject: Subject) -> list[int]:
    """Return the ids of the scored classes, by descending number of pixels."""
    pixels = np.zeros(subject.card.unlabelled + 1, np.int64)
    for example in subject.examples:
        try:
            classes = subject.truth(example).segmentation.classes
        except ImageError:
            continue    # reported when it is scored
        if classes is not None:
            pixels += np.bincount(classes.ravel(), minlength=len(pixels))
    return sorted((item.id for item in subject.card.classes), key=lambda item: -pixels[item])


def _constant(class_id: int, card: ModelCard) -> Find:
    """Return a baseline that gives every pixel one class, as one instance if that is a thing."""
    thing = card.by_id[class_id].thing and card.task != 'semantic'

    def find(frame: Frame) -> Segmentation:
        height, width = frame.size_hw
        classes = np.full((height, width), class_id, card.id_of_channel.dtype)
        segment = Segment(1, class_id, 1.0, (0, 0, width, height), height * width)
        return Segmentation(
            (height, width), card.unlabelled, classes, np.full((height, width), 255, np.uint8),
            np.full((height, width), int(thing), np.uint16), (segment,) if thing else (),
        )

    return find


def _classical(
    name: str, segmenter: ServingModel, often: Sequence[int], card: ModelCard
) -> Contender:
    table = np.full(segmenter.card.unlabelled + 1, card.unlabelled, card.id_of_channel.dtype)
    for item in segmenter.card.classes:
        alike = [number for number in often if card.by_id[number].thing == item.thing]
        if alike:
            table[item.id] = alike[0]
    matching = Matching(card, table, 'frequency', (), ())
    found_card = replace(card, task=segmenter.card.task)
    return Contender(name, lambda frame: matching.renamed(segment(frame, segmenter)), found_card)


def evaluate(
    subject: Subject, contenders: Sequence[Contender], precision: bool,
    observers: Sequence[Observer], progress: Progress,
) -> Mapping[str, Scores]:
    """
    Score all images; unreadable ones are reported and skipped.

    :param precision: whether to measure average precision.
    :param observers: called with each image, its ground truth and the first contender's masks.
    :raises ImageError: if no image could be read.
    """
    scores = {item.name: Scores(subject.card, item.card, precision) for item in contenders}
    done = 0
    with progress.over(len(subject.examples)):
        for example in subject.examples:
            try:
                frame, truth = _read(example), subject.truth(example)
                _check_size(frame, truth)
            except ImageError as error:
                progress.skip(example.name, error)
                continue
            found = [item.find(frame) for item in contenders]
            for item, masks in zip(contenders, found, strict=True):
                scores[item.name].add(truth.segmentation, masks, truth.crowd)
            for observe in observers:
                observe(example, frame, truth, found[0])
            done += 1
            progress.step()
    if not done:
        raise ImageError(f'none of {progress.skipped} images could be read')
    return scores


def _read(example: Example) -> Frame:
    try:
        with open_plain(example.image) as file:
            data = file.read()
        return upright(frame_from_file(data), data)
    except OSError as error:
        raise ImageError(f'{example.image} cannot be read ({error.strerror})') from error


def _check_size(frame: Frame, truth: Truth) -> None:
    if frame.size_hw != truth.segmentation.size_hw:
        raise ImageError(
            f'an image of {frame.size_hw} with masks of {truth.segmentation.size_hw}',
            'masks of the same size',
        )
