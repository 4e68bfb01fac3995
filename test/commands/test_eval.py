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

"""Models and baselines scored on data sets of both layouts, written here by hand."""

import argparse
from importlib.util import find_spec
import json

import cv2
import numpy as np
import pytest
from seg_ros.commands import eval as command
from seg_ros.core.errors import ImageError, SettingError

SIZE_HW = (120, 160)
CATEGORIES = [
    {'id': 5, 'name': 'Background', 'isthing': 0}, {'id': 9, 'name': 'Object', 'isthing': 1},
    {'id': 70, 'name': 'lamp', 'isthing': 1},
]
BOXES = [(20, 30, 60, 80), (90, 20, 130, 60)]


def draw(boxes):
    """Return a dark image with bright boxes, and the number of the box at each pixel."""
    random = np.random.default_rng(0)
    pixels = random.normal(40, 3, (*SIZE_HW, 3))
    numbers = np.zeros(SIZE_HW, int)
    for number, (x0, y0, x1, y1) in enumerate(boxes, 1):
        pixels[y0:y1, x0:x1] += 170
        numbers[y0:y1, x0:x1] = number
    return pixels.clip(0, 255).astype(np.uint8), numbers


def scene(seed):
    return [(x0 + 3 * seed, y0, x1 + 3 * seed, y1) for x0, y0, x1, y1 in BOXES]


@pytest.fixture
def panoptic(tmp_path):
    """Write three images in COCO's panoptic format; the right box of the last is a lamp."""
    folder = tmp_path / 'data'
    for part in ('images', 'panoptic'):
        (folder / part).mkdir(parents=True)
    images, annotations = [], []
    for seed in range(3):
        pixels, numbers = draw(scene(seed))
        cv2.imwrite(str(folder / f'images/p{seed}.png'), pixels)
        ids = np.where(numbers, 70000 + numbers, 4)
        planes = [ids // 65536, ids // 256 % 256, ids % 256]
        cv2.imwrite(str(folder / f'panoptic/p{seed}.png'), np.dstack(planes).astype(np.uint8))
        rows = [{'id': 4, 'category_id': 5, 'area': int((ids == 4).sum()), 'iscrowd': 0}]
        for number in (1, 2):
            rows.append({
                'id': 70000 + number, 'category_id': 70 if seed == number == 2 else 9,
                'area': int((numbers == number).sum()), 'iscrowd': 0,
            })
        images.append({'id': seed + 10, 'file_name': f'p{seed}.png', 'height': 120, 'width': 160})
        annotations.append({
            'image_id': seed + 10, 'file_name': f'p{seed}.png', 'segments_info': rows
        })
    table = {'images': images, 'annotations': annotations, 'categories': CATEGORIES}
    (folder / 'panoptic.json').write_text(json.dumps(table))
    return folder


@pytest.fixture
def labelled(tmp_path):
    """Write two images with class ids beside them, a band of which nobody knows."""
    folder = tmp_path / 'data'
    for part in ('images', 'labels'):
        (folder / part).mkdir(parents=True)
    for seed in range(2):
        pixels, numbers = draw(scene(seed))
        cv2.imwrite(str(folder / f'images/p{seed}.jpg'), pixels)
        labels = (numbers > 0).astype(np.uint8)
        labels[:10] = 255
        cv2.imwrite(str(folder / f'labels/p{seed}.png'), labels)
    return folder


def run(model, folder, *words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([model, '--data', str(folder), *map(str, words)]))


def figures(capsys):
    return json.loads(capsys.readouterr().out)


def test_bright_boxes_are_found_and_a_class_that_the_model_lacks_is_reported(panoptic, capsys):
    assert run('otsu', panoptic, '--json') == 0
    found = figures(capsys)
    assert (found['images'], found['skipped']) == (3, 0)
    assert 'classes that the model lacks, left out as unknown: lamp' in found['notes']
    scores = found['scores']['model']
    assert scores['object_count_400_to_2500'] == 5
    assert scores['object_recall'] == scores['object_precision'] == scores['rq'] == 1
    for name in ('miou', 'pq', 'pq_things', 'pq_stuff', 'boundary_f'):
        assert 0.9 < scores[name] <= 1
    assert list(found['per_class']['model']) == ['Background', 'Object']


def test_average_precision_comes_with_pycocotools_or_its_absence_is_reported(panoptic, capsys):
    run('otsu', panoptic, '--json')
    found = figures(capsys)
    noted = any('pycocotools' in note for note in found['notes'])
    if find_spec('pycocotools'):
        assert found['scores']['model']['ap50'] == 1
        assert found['per_class']['model']['Object']['ap'] > 0.9
        assert not noted
    else:
        assert 'ap' not in found['scores']['model']
        assert noted


def test_a_constant_map_scores_as_counted(panoptic, capsys):
    run('otsu', panoptic, '--json', '--baseline', 'constant', '--baseline', 'watershed')
    scores = figures(capsys)['scores']
    assert list(scores) == ['model', 'constant', 'watershed']
    boxes = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in BOXES]
    ground = 3 * (120 * 160 - sum(boxes))
    judged = 3 * 120 * 160 - boxes[1]
    assert scores['constant']['miou'] == pytest.approx(ground / judged / 2)
    assert scores['constant']['accuracy'] == pytest.approx(ground / judged)
    assert scores['constant']['object_recall'] == scores['constant']['pq_things'] == 0
    assert scores['constant']['rq_stuff'] == 1
    assert scores['watershed']['object_recall'] == 1


def test_settings_change_what_is_found(panoptic, capsys):
    run('otsu', panoptic, '--json', '--score-threshold', '1')
    scores = figures(capsys)['scores']['model']
    assert scores['object_recall'] == scores['pq_things'] == 0
    assert scores['pq_stuff'] > 0.9


def test_a_folder_of_labels_is_scored_by_class(labelled, capsys):
    assert run('otsu', labelled, '--json') == 0
    found = figures(capsys)
    assert set(found['scores']['model']) == {
        'miou', 'miou_present', 'accuracy', 'boundary_f'
    }
    assert found['scores']['model']['miou'] > 0.9
    assert set(found['per_class']['model']) == {'background', 'object'}


def relabel(folder, values):
    """Put other ids in the place of some."""
    for path in sorted((folder / 'labels').iterdir()):
        labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        for old, new in values.items():
            labels[labels == old] = new
        cv2.imwrite(str(path), labels)


def test_ids_that_the_card_lacks_are_named_with_their_share_of_the_pixels(labelled, capsys):
    relabel(labelled, {1: 77})
    objects = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in BOXES) / (120 * 160)
    assert run('otsu', labelled, '--json') == 0
    notes = [note for note in figures(capsys)['notes'] if 'no class of the data' in note]
    assert notes == [
        'ids that are no class of the data, left out as unknown: '
        f'77 ({100 * objects:.3g} % of the pixels)'
    ]


def test_void_is_no_unknown_id(labelled, capsys):
    assert run('otsu', labelled, '--json') == 0
    assert not any('no class of the data' in note for note in figures(capsys)['notes'])


def test_categories_that_the_table_lacks_are_named(panoptic, capsys):
    table = json.loads((panoptic / 'panoptic.json').read_text())
    table['annotations'][0]['segments_info'][0]['category_id'] = 88
    (panoptic / 'panoptic.json').write_text(json.dumps(table))
    assert run('otsu', panoptic, '--json') == 0
    assert any(': 88 (' in note for note in figures(capsys)['notes'])


@pytest.mark.parametrize(('value', 'said'), [
    (77, r'masks of the ids 77 \(91\.7 % of the pixels\); expected ids of 0 background, 1 obj'),
    (255, 'masks without any class that is scored; expected ids of 0 background'),
])
def test_data_of_which_nothing_can_be_scored_are_refused(value, said, labelled, tmp_path):
    relabel(labelled, {0: value, 1: value})
    with pytest.raises(SettingError, match=said):
        run('otsu', labelled, '--out', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_labels_of_another_type_are_reported_and_left_out(labelled, capsys):
    cv2.imwrite(str(labelled / 'labels/p0.tiff'), np.zeros((120, 160), np.float32))
    (labelled / 'labels/p0.png').unlink()
    assert run('otsu', labelled, '--json') == 1
    assert 'class ids of 8 or 16 bits' in capsys.readouterr().err


@pytest.mark.parametrize('show', ['worst', 'random'])
def test_a_table_shows_image_truth_and_masks_side_by_side(show, panoptic, tmp_path, capsys):
    out = tmp_path / 'out'
    run('otsu', panoptic, '--json', '--out', out, '--rows', 2, '--show', show)
    assert json.loads((out / 'eval.json').read_text()) == figures(capsys)
    table = cv2.imread(str(out / 'images.png'))
    assert table.shape == (2 * 360, 3 * 480, 3)
    for row in (0, 360):
        truth, found = table[row + 40:row + 300, 480:960], table[row + 40:row + 300, 960:]
        assert np.abs(truth.astype(int) - table[row + 40:row + 300, :480]).mean() > 3
        assert np.abs(truth.astype(int) - found).mean() < 25


def test_the_table_begins_with_the_image_of_the_lowest_quality(panoptic, tmp_path):
    masks = cv2.imread(str(panoptic / 'panoptic/p1.png'))
    masks[:, 40:] = masks[0, 0]
    cv2.imwrite(str(panoptic / 'panoptic/p1.png'), masks)
    run('otsu', panoptic, '--json', '--out', tmp_path / 'out', '--rows', 1)
    shown = cv2.imread(str(tmp_path / 'out/images.png'))[40:300, :480].astype(int)
    apart = [
        np.abs(cv2.resize(draw(scene(seed))[0], (480, 360))[40:300] - shown).mean()
        for seed in range(3)
    ]
    assert np.argmin(apart) == 1


def test_people_see_the_figures_in_columns(panoptic, capsys):
    run('otsu', panoptic, '--baseline', 'constant')
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'classical-otsu on 3 images'
    assert any(line.split() == ['model', 'constant'] for line in lines)
    row = next(line.split() for line in lines if line.startswith('object recall  '))
    assert row == ['object', 'recall', '1.000', '0.000']


def test_parts_may_lie_elsewhere(panoptic, tmp_path, capsys):
    (panoptic / 'images').rename(tmp_path / 'val2017')
    (panoptic / 'panoptic').rename(tmp_path / 'panoptic_val2017')
    (panoptic / 'panoptic.json').rename(tmp_path / 'panoptic_val2017.json')
    assert run(
        'otsu', tmp_path, '--json', '--images', tmp_path / 'val2017',
        '--table', tmp_path / 'panoptic_val2017.json', '--masks', tmp_path / 'panoptic_val2017',
    ) == 0
    assert figures(capsys)['images'] == 3


def test_a_missing_image_is_reported_and_skipped(panoptic, capsys):
    (panoptic / 'images/p1.png').unlink()
    (panoptic / 'panoptic/p2.png').write_bytes(b'no image')
    assert run('otsu', panoptic, '--json') == 1
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert (found['images'], found['skipped']) == (1, 2)
    assert [line.split(':')[1].strip() for line in captured.err.splitlines()] == [
        'skipped p1', 'skipped p2'
    ]


def test_a_folder_without_masks_is_refused_with_what_it_should_hold(tmp_path):
    with pytest.raises(SettingError, match=r'images/ with panoptic\.json and panoptic/'):
        run('otsu', tmp_path)


def test_labels_beside_a_table_are_refused_with_both_ways_out(panoptic):
    words = r'--labels with \S+panoptic\.json; .*; leave it out, or move panoptic\.json away'
    with pytest.raises(SettingError, match=words):
        run('otsu', panoptic, '--labels', panoptic / 'labels')


def test_a_table_of_another_format_is_refused(panoptic):
    (panoptic / 'panoptic.json').write_text('[]')
    with pytest.raises(SettingError, match="COCO's panoptic format"):
        run('otsu', panoptic)


def test_data_of_other_classes_are_refused_with_both(panoptic):
    table = json.loads((panoptic / 'panoptic.json').read_text())
    table['categories'] = [{'id': 70, 'name': 'lamp', 'isthing': 1}]
    (panoptic / 'panoptic.json').write_text(json.dumps(table))
    with pytest.raises(SettingError, match='classes lamp; expected some of background, object'):
        run('otsu', panoptic)


def test_masks_of_another_size_than_their_image_are_left_out(panoptic):
    for seed in range(3):
        cv2.imwrite(str(panoptic / f'images/p{seed}.png'), np.zeros((60, 80, 3), np.uint8))
    with pytest.raises(ImageError, match='none of 3 images'):
        run('otsu', panoptic)


def test_what_is_found_in_a_crowd_is_not_wrong(panoptic, capsys):
    table = json.loads((panoptic / 'panoptic.json').read_text())
    for annotation in table['annotations'][:2]:
        annotation['segments_info'][1]['iscrowd'] = 1
    (panoptic / 'panoptic.json').write_text(json.dumps(table))
    run('otsu', panoptic, '--json')
    scores = figures(capsys)['scores']['model']
    assert scores['object_count_400_to_2500'] == 3
    assert scores['object_recall'] == scores['object_precision'] == scores['rq_things'] == 1


@pytest.fixture
def photographs(tmp_path):
    """Write two sources of one photograph; only the first knows who is in it."""
    root, rows = tmp_path / 'photographs', []
    for source in ('street', 'shop'):
        for kind in ('images', 'labels', 'instances'):
            (root / source / kind).mkdir(parents=True)
        pixels, numbers = draw(BOXES)
        labels = np.where(numbers > 0, 3, 255 if source == 'shop' else 0).astype(np.uint8)
        cv2.imwrite(str(root / source / 'images/a.jpg'), pixels)
        cv2.imwrite(str(root / source / 'labels/a.png'), labels)
        cv2.imwrite(str(root / source / 'instances/a.png'), numbers.astype(np.uint16))
        rows.append({'name': 'a', 'source': source, 'complete': ['object'], 'license': 'CC0'})
    (root / 'index.json').write_text(json.dumps(rows))
    (root / 'val.txt').write_text('street/a shop/a')
    return root


def test_photographs_are_scored_by_source_class_and_size(photographs, tmp_path, capsys):
    assert run('otsu', photographs, '--json', '--out', tmp_path / 'out') == 0
    found = figures(capsys)
    assert found['images'] == 2
    assert list(found['by_source']) == ['shop', 'street']
    assert found['by_source']['shop']['object_recall_from_400'] == 1
    row = found['per_class']['model']['object']
    assert (row['recall_400_to_2500'], row['count_400_to_2500']) == (1, 4)
    assert found['confusion']['object']['object'] > 0.95
    assert cv2.imread(str(tmp_path / 'out/confusion.png')).shape[1] > 200


def test_the_confusion_is_printed_in_percent(photographs, capsys):
    run('otsu', photographs)
    lines = capsys.readouterr().out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith('true class, % found as'))
    assert lines[start].split()[-3:] == ['object', 'no', 'class']
    assert any(line.startswith('object 400 to 2500 pixels, found') for line in lines)
