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

"""
Scenes handed to published implementations, each in the form that its own documentation asks for.

panopticapi and davis2017 are on GitHub (cocodataset/panopticapi, davisvideochallenge/
davis2017-evaluation); pycocotools and scikit-learn are installed with pip.
"""

from contextlib import redirect_stdout
import io
import json

import cv2
import numpy as np
from scored_scenes import CARD, SIZE_HW, VOID


def ids_of(classes, instances):
    """Return a number for every segment: things as they are, stuff above; void is 0."""
    is_thing = np.isin(classes, [item.id for item in CARD.classes if item.thing])
    ids = np.where(is_thing, instances, 1000 + classes.astype(int))
    return np.where(classes == VOID, 0, ids)


def write_panoptic(folder, name, classes, instances, crowd=0):
    """Write one PNG and return its row of the table."""
    ids = ids_of(classes, instances)
    planes = [ids // 65536, ids // 256 % 256, ids % 256]
    cv2.imwrite(str(folder / f'{name}.png'), np.dstack(planes).astype(np.uint8))
    rows = [
        {'id': int(number), 'category_id': int(classes[ids == number][0]),
         'area': int((ids == number).sum()), 'iscrowd': int(number == crowd)}
        for number in np.unique(ids) if number
    ]
    return {'image_id': name, 'file_name': f'{name}.png', 'segments_info': rows}


def panoptic_quality(scenes, folder):
    """Ask panopticapi, through files."""
    from panopticapi.evaluation import pq_compute_single_core

    categories = {item.id: {'id': item.id, 'isthing': int(item.thing)} for item in CARD.classes}
    pairs = []
    for side in ('true', 'found'):
        (folder / side).mkdir()
    for number, scene in enumerate(scenes):
        truth = write_panoptic(
            folder / 'true', number, scene.true_classes, scene.true_instances, scene.crowd
        )
        found = write_panoptic(
            folder / 'found', number, scene.found_classes, scene.found_instances
        )
        pairs.append((truth, found))
    with redirect_stdout(io.StringIO()):
        counts = pq_compute_single_core(0, pairs, folder / 'true', folder / 'found', categories)
    figures = {}
    for suffix, isthing in (('', None), ('_things', True), ('_stuff', False)):
        mean, per_class = counts.pq_average(categories, isthing)
        figures |= {f'{name}{suffix}': mean[name] for name in ('pq', 'sq', 'rq')}
        if isthing is None:
            figures['per_class'] = {str(number): row for number, row in per_class.items()}
    return figures


def average_precision(scenes, folder):
    """Ask pycocotools, through a file of the truth and a list of results."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    from pycocotools.mask import encode

    def rows(number, classes, instances):
        for each in np.unique(instances[instances > 0]):
            mask = instances == each
            run_lengths = encode(np.asfortranarray(mask, np.uint8))
            run_lengths['counts'] = run_lengths['counts'].decode()
            yield int(each), {
                'image_id': number, 'category_id': int(classes[mask][0]),
                'segmentation': run_lengths,
            }

    truth, found = [], []
    for number, scene in enumerate(scenes, 1):
        for each, row in rows(number, scene.true_classes, scene.true_instances):
            area = int((scene.true_instances == each).sum())
            crowd = int(each == scene.crowd)
            truth.append({**row, 'id': len(truth) + 1, 'area': area, 'iscrowd': crowd,
                          'bbox': [0, 0, 1, 1]})
        for each, row in rows(number, scene.found_classes, scene.found_instances):
            found.append({**row, 'score': float(scene.scores[each])})
    path = folder / 'truth.json'
    path.write_text(json.dumps({
        'images': [
            {'id': number + 1, 'height': SIZE_HW[0], 'width': SIZE_HW[1]}
            for number in range(len(scenes))
        ],
        'annotations': truth,
        'categories': [{'id': item.id, 'name': item.name} for item in CARD.classes if item.thing],
    }))
    with redirect_stdout(io.StringIO()):
        known = COCO(str(path))
        evaluation = COCOeval(known, known.loadRes(found), 'segm')
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {'ap': float(evaluation.stats[0]), 'ap50': float(evaluation.stats[1])}


def intersection_over_union(scenes, folder):
    """Ask scikit-learn; pixels without a truth are left out."""
    from sklearn.metrics import jaccard_score

    known = [scene.true_classes != VOID for scene in scenes]
    truth, found = (
        np.concatenate([getattr(scene, f'{side}_classes')[mask]
                        for scene, mask in zip(scenes, known, strict=True)])
        for side in ('true', 'found')
    )
    ids = [item.id for item in CARD.classes if item.id in truth or item.id in found]
    values = jaccard_score(truth, found, labels=ids, average=None)
    per_class = {str(number): float(value) for number, value in zip(ids, values, strict=True)}
    return {'miou': float(np.mean(values)), 'per_class': per_class}


def contour_accuracy(scenes, folder):
    """Ask the evaluation of DAVIS for each class that an image shows or that was found there."""
    from davis2017.metrics import db_eval_boundary

    values = {}
    for scene in scenes:
        void = scene.true_classes == VOID
        shown = np.union1d(scene.true_classes[~void], scene.found_classes[~void])
        for class_id in shown[shown != VOID].tolist():
            masks = [classes == class_id for classes in (scene.true_classes, scene.found_classes)]
            values.setdefault(str(class_id), []).append(db_eval_boundary(*masks, void))
    per_class = {name: float(np.mean(each)) for name, each in values.items()}
    return {'boundary_f': float(np.mean(list(per_class.values()))), 'per_class': per_class}


PUBLISHED = {
    'panopticapi': panoptic_quality, 'pycocotools': average_precision,
    'sklearn': intersection_over_union, 'davis2017': contour_accuracy,
}
