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

"""The photographs of the package, scored against their hand-drawn ground truth."""

from pathlib import Path
from typing import Any

from seg_ros.commands.evaluation.contact_sheet import ContactSheet
from seg_ros.commands.evaluation.evaluate import model_contender, subject_for
from seg_ros.commands.evaluation.photograph_truth import photograph_examples
from seg_ros.commands.output_file import write_file
from seg_ros.core.settings import Settings
from seg_ros.image.encodings import frame_from_file
from seg_ros.image.file_writing import encode_png
from seg_ros.metrics.scores import LiveScores
from seg_ros.pipeline.serving_model import open_serving_model

PHOTOGRAPHS = Path(__file__).parents[2] / 'demo' / 'photographs'


def score_photographs(model: str, out: Path) -> dict[str, Any]:
    """
    Segment the photographs, score the masks and draw them beside the ground truth.

    :param out: the folder of `photographs.png`: image, ground truth and masks in a row.
    :returns: `images`, `miou` over the classes that occur, and the number of people and objects
        of at least 400 pixels that are visible and that were found.
    :raises SegError: if the model cannot be opened.
    """
    settings = Settings(model=model)
    segmenter = open_serving_model(settings)
    try:
        subject = subject_for(photograph_examples(PHOTOGRAPHS, 'demo'), segmenter.card)
        contender = model_contender(segmenter, subject)
        scores = LiveScores(subject.card, contender.card)
        sheet = ContactSheet(subject.card, contender.card, len(subject.examples), 'worst')
        for example in subject.examples:
            frame, truth = frame_from_file(example.image.read_bytes()), subject.truth(example)
            found = contender.find(frame)
            scores.add(truth.segmentation, found, truth.crowd)
            sheet.add(example, frame, truth, found)
    finally:
        segmenter.close()
    write_file(out / 'photographs.png', encode_png(sheet.image()))
    return {'images': len(subject.examples), **_figures(scores)}


def _figures(scores: LiveScores) -> dict[str, Any]:
    figures: dict[str, Any] = {'miou': scores.confusion.figures()['miou_present']}
    for class_id, row in scores.per_class().items():
        if 'count_from_400' in row:
            name = scores.card.by_id[class_id].name
            figures[f'{name}_there'] = int(row['count_from_400'])
            figures[f'{name}_found'] = round(row['recall_from_400'] * row['count_from_400'])
    return figures
