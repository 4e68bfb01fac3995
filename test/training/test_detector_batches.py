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

"""Things as torchvision's detectors learn them."""

import numpy as np
import pytest
from seg_ros.core.errors import SettingError

torch = pytest.importorskip('torch', reason='training needs PyTorch, the extra [train]')

from seg_ros.training.detector_batches import (  # noqa: E402
    detector_losses,
    detector_targets,
    DetectorBatches,
)
from seg_ros.training.fine_tune import fine_tune, FineTuningOptions  # noqa: E402
from seg_ros.training.sample import TrainingSample, VOID  # noqa: E402
from test_train import Boxes  # noqa: E402

OPTIONS = FineTuningOptions(steps=12, batch=2, size_hw=(64, 96), rates=(0.0, 2e-3))
THINGS = np.array([False, True, True])


def sample():
    """Return two things of the second and third class, 8 rows and 5 columns each, and a speck."""
    classes, instances = np.zeros((2, 40, 60), np.uint8)
    for number, (x, channel) in enumerate(((10, 1), (30, 2)), start=1):
        classes[20:28, x:x + 5], instances[20:28, x:x + 5] = channel, number
    classes[0:2, 0:2], instances[0:2, 0:2] = 1, 3
    return TrainingSample(np.zeros((40, 60, 3), np.uint8), classes, instances, np.zeros(3, bool))


def test_things_become_boxes_labels_and_masks_and_specks_are_left_out():
    target = detector_targets(sample(), THINGS)
    assert target['labels'].tolist() == [1, 2]
    assert target['boxes'].tolist() == [[10, 20, 15, 28], [30, 20, 35, 28]]
    assert target['masks'].sum((1, 2)).tolist() == [40, 40]


def test_an_image_without_things_has_empty_targets():
    target = detector_targets(sample(), np.zeros(3, bool))
    assert target['boxes'].shape == (0, 4)
    assert target['masks'].shape == (0, 40, 60)


class Unknown(Boxes):
    """Boxes around which nobody knows what there is."""

    def __getitem__(self, number):
        known = super().__getitem__(number)
        return known._replace(classes=np.where(known.classes, known.classes, np.uint8(VOID)))


def test_windows_of_which_little_is_known_teach_nothing():
    assert len(DetectorBatches(Boxes(), OPTIONS)[0].targets) == 2
    with pytest.raises(SettingError, match='without things'):
        DetectorBatches(Unknown(), OPTIONS)[0]


def test_a_step_shows_the_same_things_again():
    one, other = (DetectorBatches(Boxes(), OPTIONS)[3] for _ in range(2))
    assert torch.equal(one.rgb, other.rgb)
    assert torch.equal(one.targets[1]['masks'], other.targets[1]['masks'])


def test_the_losses_of_a_small_mask_rcnn_fall():
    pytest.importorskip('torchvision', reason='Mask R-CNN is of torchvision, the extra [zoo]')
    from seg_ros.zoo.architectures import NetworkRequest
    from seg_ros.zoo.export import build_network

    torch.manual_seed(0)
    sizes = {
        'width': 16, 'anchor': 16, 'before': 50, 'proposals': 20, 'candidates': 20,
        'detections': 5, 'box_batch_size_per_image': 16,
    }
    request = NetworkRequest('mask_rcnn', 1, OPTIONS.size_hw, 'mobilenet_v2', options=sizes)
    network = build_network(request)
    losses = list(fine_tune(network, (), detector_losses(network, Boxes(), OPTIONS), OPTIONS))
    assert np.isfinite(losses).all()
    assert np.mean(losses[-4:]) < 0.8 * np.mean(losses[:4])
    assert not network.training
