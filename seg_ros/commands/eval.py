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

"""`seg_ros eval`: score a model's masks against ground truth."""

import argparse
from collections.abc import Mapping
from contextlib import closing, ExitStack
from importlib.util import find_spec
import json
from pathlib import Path
from typing import Any, TYPE_CHECKING

from seg_ros.core.errors import SettingError
from seg_ros.core.number_options import whole

if TYPE_CHECKING:
    from seg_ros.commands.evaluation.contact_sheet import ContactSheet
    from seg_ros.commands.evaluation.evaluate import Subject
    from seg_ros.core.card import ModelCard
    from seg_ros.metrics.scores import Scores
    from seg_ros.pipeline.serving_model import ServingModel

SUMMARY = "score a model's masks against ground truth"
EXAMPLE = 'seg_ros eval model.onnx --data scenes --baseline constant --baseline watershed'
SETTINGS = (
    'engine', 'device', 'threads', 'inference_precision', 'score_threshold', 'mask_threshold',
    'min_confidence', 'classes', 'upsample',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from seg_ros.commands.options import add_settings

    parser.add_argument('model', help='a compiled model, or the name of a classical method')
    parser.add_argument(
        '--data', type=Path, required=True,
        help='folder with index.json and lists of photographs; with images/, panoptic.json and '
        'panoptic/ (COCO); or with images/ and labels/ (class ids)',
    )
    parser.add_argument(
        '--list', default='val', dest='listed', metavar='NAME',
        help='list of photographs, NAME.txt beside index.json (val)',
    )
    for name, meaning in (
        ('images', 'folder of the images (DATA/images)'),
        ('table', "COCO's table of segments (DATA/panoptic.json)"),
        ('masks', 'folder of the images of segment ids (DATA/panoptic)'),
        ('labels', 'folder of the images of class ids (DATA/labels)'),
    ):
        parser.add_argument(f'--{name}', type=Path, help=meaning)
    parser.add_argument(
        '--baseline', action='append', default=[], dest='baselines',
        choices=('constant', 'watershed', 'otsu', 'adaptive', 'edges', 'grabcut'),
        help='also score this: a constant map of the most frequent class, or a classical method; '
        'may be repeated',
    )
    parser.add_argument('--out', type=Path,
                        help='folder for eval.json, images.png and confusion.png')
    parser.add_argument('--show', choices=('worst', 'random'), default='worst',
                        help='which images are in images.png (worst)')
    parser.add_argument('--rows', type=whole(1), default=12, help='images in images.png (12)')
    parser.add_argument('--json', action='store_true', help='print the figures as one JSON object')
    add_settings(parser, SETTINGS)


def run(args: argparse.Namespace) -> int:
    """
    Score the model and its baselines.

    :returns: 0, or 1 if an image was skipped.
    :raises SegError: if the data cannot be read, or the model cannot be opened.
    """
    from seg_ros.commands.evaluation.report import report
    from seg_ros.commands.options import refuse_unused, settings_from_args
    from seg_ros.commands.progress import build_report
    from seg_ros.pipeline.serving_model import open_serving_model

    settings = settings_from_args(args, ('model', *SETTINGS))
    if not args.out:
        refuse_unused(args, add_arguments, ('show', 'rows'), 'without --out', 'a folder by --out')
    with build_report('eval') as building:
        segmenter = open_serving_model(settings, building)
    with closing(segmenter):
        figures, sheet = _scored(args, segmenter)
    if args.out:
        _write(args.out, figures, sheet)
    print(json.dumps(figures) if args.json else report(figures))
    return int(figures['skipped'] > 0)


def _scored(
    args: argparse.Namespace, segmenter: 'ServingModel'
) -> tuple[dict[str, Any], 'ContactSheet']:
    """
    Score the model and its baselines on all images.

    :returns: the figures, and the table of images for --out.
    """
    from seg_ros.commands.evaluation.by_source import BySource
    from seg_ros.commands.evaluation.contact_sheet import ContactSheet
    from seg_ros.commands.evaluation.evaluate import (
        baselines,
        evaluate,
        model_contender,
        subject_for,
    )
    from seg_ros.commands.evaluation.unknown_ids import UnknownIds
    from seg_ros.commands.progress import Progress

    if segmenter.card.task == 'promptable':
        raise SettingError(
            f'{segmenter.card.name}, a promptable model',
            'a model that finds objects without prompts',
        )
    subject = subject_for(_examples(args, segmenter.card), segmenter.card)
    contender = model_contender(segmenter, subject)
    sheet = ContactSheet(subject.card, contender.card, args.rows, args.show)
    by_source = BySource(subject.card, contender.card)
    unknown = UnknownIds(subject.examples.card)
    observers = [unknown.add, by_source.add]
    if args.out:
        observers.append(sheet.add)
    progress = Progress('eval', len(subject.examples))
    precision = find_spec('pycocotools') is not None
    with ExitStack() as stack:
        contenders = [contender, *baselines(args.baselines, subject, stack)]
        scores = evaluate(subject, contenders, precision, observers, progress)
    unknown.check(int(scores['model'].confusion.pixels[:-1].sum()))
    figures = {
        'model': segmenter.card.name,
        'images': len(subject.examples) - progress.skipped,
        'skipped': progress.skipped,
        'notes': _notes(subject, segmenter.card, precision, unknown.text()),
        **_figures(subject.card, scores),
        'by_source': by_source.figures(),
    }
    return figures, sheet


def _examples(args: argparse.Namespace, card: 'ModelCard') -> Any:
    from seg_ros.commands.evaluation.ground_truth import open_examples, Places
    from seg_ros.commands.evaluation.photograph_truth import photograph_examples
    from seg_ros.commands.options import refuse_unused

    index = args.data / 'index.json'
    if index.is_file():
        parts = ('images', 'table', 'masks', 'labels')
        refuse_unused(args, add_arguments, parts, f'with {index}', 'only --list, or other --data')
        return photograph_examples(args.data, args.listed)
    refuse_unused(
        args, add_arguments, ('listed',), f'without {index}', 'photographs with an index'
    )
    places = Places(
        args.images or args.data / 'images', args.table or args.data / 'panoptic.json',
        args.masks or args.data / 'panoptic', args.labels or args.data / 'labels',
    )
    if places.table.is_file():
        refuse_unused(
            args, add_arguments, ('labels',), f'with {places.table}', 'only one of these two',
            f'leave it out, or move {places.table.name} away',
        )
    elif args.table or places.labels.is_dir():
        refuse_unused(
            args, add_arguments, ('table', 'masks'), f'without {places.table}',
            'a table of segments',
        )
    return open_examples(places, card)


def _notes(
    subject: 'Subject', model: 'ModelCard', precision: bool, unknown: str
) -> list[str]:
    """Return notes on what the figures leave out."""
    from seg_ros.commands.evaluation.matching import match_classes

    matching = match_classes(model, subject.card)
    notes = list(subject.examples.notes)
    if matching.by == 'id':
        notes.append('no class has the same name in model and data: they are matched by id')
    if matching.only_model:
        notes.append(f'classes that the data lack: {", ".join(matching.only_model)}')
    if subject.matching.only_model:
        names = ', '.join(subject.matching.only_model)
        notes.append(f'classes that the model lacks, left out as unknown: {names}')
    if unknown:
        notes.append(f'ids that are no class of the data, left out as unknown: {unknown}')
    if not precision and subject.card.task != 'semantic':
        notes.append("no average precision without pycocotools: pip install 'seg_ros[eval]'")
    return notes


def _figures(card: 'ModelCard', scores: Mapping[str, 'Scores']) -> dict[str, Any]:
    found = {name: item.evaluate() for name, item in scores.items()}
    return {
        'scores': {name: figures for name, (figures, _) in found.items()},
        'per_class': {
            name: {card.by_id[class_id].name: row for class_id, row in sorted(rows.items())}
            for name, (_, rows) in found.items()
        },
        'confusion': _confusion(card, scores['model']),
    }


def _confusion(card: 'ModelCard', scores: 'Scores') -> dict[str, dict[str, float]]:
    names = [*(item.name for item in card.classes), 'no class']
    return {
        card.by_id[class_id].name: dict(zip(names, row, strict=True))
        for class_id, row in scores.confusion.fractions().items()
    }


def _write(folder: Path, figures: Mapping[str, Any], sheet: 'ContactSheet') -> None:
    from seg_ros.commands.evaluation.confusion_table import draw_confusion
    from seg_ros.commands.output_file import write_file
    from seg_ros.image.file_writing import encode_png

    write_file(folder / 'confusion.png', encode_png(draw_confusion(figures['confusion'])))
    write_file(folder / 'eval.json', json.dumps(figures, indent=1).encode())
    write_file(folder / 'images.png', encode_png(sheet.image()))
