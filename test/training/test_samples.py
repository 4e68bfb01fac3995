"""Data sets reduced, weighed and cut."""

import json

import cv2
import numpy as np
import pytest
from seg_ros.core.errors import SettingError
from seg_ros.training.samples import augmented, Samples

CATEGORIES = [
    {'id': 4, 'name': 'floor', 'isthing': 0, 'color': [1, 2, 3]},
    {'id': 9, 'name': 'object', 'isthing': 1, 'color': [4, 5, 6]},
]


@pytest.fixture
def folder(tmp_path):
    """Write a data set of two images: a box on a floor, and a floor with a void half."""
    for kind in ('images', 'panoptic'):
        (tmp_path / kind).mkdir()
    ids = np.full((2, 480, 640), 65540, np.uint32)
    ids[0, 100:300, 200:400] = 3
    ids[1, :, 320:] = 0
    annotations = []
    for number, plane in enumerate(ids):
        blue = np.stack([plane >> 16 & 255, plane >> 8 & 255, plane & 255], axis=2)
        cv2.imwrite(str(tmp_path / f'panoptic/{number}.png'), blue.astype(np.uint8))
        cv2.imwrite(
            str(tmp_path / f'images/{number}.jpg'), np.full((480, 640, 3), (0, 0, 200), np.uint8)
        )
        rows = [{'id': 65540, 'category_id': 4}, {'id': 3, 'category_id': 9}]
        annotations.append(
            {'image_id': number, 'file_name': f'{number}.png', 'segments_info': rows}
        )
    images = [{'id': number, 'file_name': f'{number}.jpg'} for number in range(2)]
    table = {'images': images, 'annotations': annotations, 'categories': CATEGORIES}
    (tmp_path / 'panoptic.json').write_text(json.dumps(table))
    return tmp_path


def test_maps_are_reduced_to_channels_instances_and_void(folder):
    samples = Samples([folder])
    rgb, classes, instances = samples.stored(0)
    assert rgb.shape == (360, 480, 3)
    assert rgb[0, 0, 0] > 190
    assert rgb[0, 0, 2] < 10
    assert classes[0, 0] == 0
    assert (classes[76:224, 151:299] == 1).all()
    assert len(np.unique(instances[76:224, 151:299])) == 1
    assert not instances[classes == 0].any()
    assert (samples.stored(1)[1][:, 241:] == 255).all()


def test_folders_follow_each_other(folder):
    samples = Samples([folder, folder])
    assert len(samples) == 4
    assert np.array_equal(samples.stored(3)[1], samples.stored(1)[1])


def test_images_with_rare_classes_are_drawn_more_often(folder):
    samples = Samples([folder])
    samples.shares[:] = [[0.9, 0.0], [0.95, 0.05]]
    with_rare, without = samples.drawing_weights()[1], samples.drawing_weights()[0]
    assert with_rare > 2 * without
    assert samples.class_weights()[1] > samples.class_weights()[0]


def test_a_window_keeps_images_and_maps_together(folder):
    sample = Samples([folder]).stored(0)
    marked = np.repeat((sample[2] > 0)[..., None] * np.uint8(255), 3, axis=2)
    for seed in range(20):
        rgb, classes, instances = augmented(
            (marked, *sample[1:]), (224, 288), np.random.default_rng(seed)
        )
        assert rgb.shape == (224, 288, 3)
        inside = cv2.erode((instances > 0).astype(np.uint8), np.ones((9, 9))) > 0
        outside = cv2.dilate((instances > 0).astype(np.uint8), np.ones((9, 9))) == 0
        if inside.any() and outside.any():
            assert rgb[inside].mean() > rgb[outside].mean() + 60
        assert ((instances > 0) == (classes == 1)).all()


def test_some_windows_are_letterboxed_and_nothing_is_asked_for_beside_them(folder):
    rgb, classes, instances = Samples([folder]).stored(0)
    padded = 0
    for seed in range(60):
        image, channels, numbers = augmented(
            (rgb, classes, instances), (224, 288), np.random.default_rng(seed)
        )
        beside = channels == 255
        padded += beside.any()
        assert (image[beside] == 114).all()
        assert not numbers[beside].any()
        # Bands along two opposite borders.
        assert beside.all(axis=0).any() == beside.any() or beside.all(axis=1).any()
    assert 8 < padded < 30


def test_a_folder_without_a_table_is_refused(tmp_path):
    with pytest.raises(SettingError, match='seg_ros render'):
        Samples([tmp_path])
