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

"""A training that is interrupted and goes on."""

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='training needs PyTorch, the extra [train]')

from seg_ros.core.errors import SettingError  # noqa: E402
from seg_ros.training.batches import Batches, batches_of  # noqa: E402
from seg_ros.training.sample import TrainingSample  # noqa: E402
from seg_ros.training.train import open_run, save, train, TrainingOptions  # noqa: E402


class Boxes:
    """Sixteen images of one bright box each; stands in for `MixedSources`."""

    def __len__(self):
        return 16

    def __getitem__(self, number):
        random = np.random.default_rng(number)
        y, x = random.integers(0, 200, 2)
        rgb = np.full((360, 480, 3), 60, np.uint8)
        rgb[y:y + 120, x:x + 160] = 220
        inside = (rgb[..., 0] > 100).astype(np.uint8)
        return TrainingSample(rgb, inside, inside, np.zeros(2, bool))

    def things(self):
        return np.array([False, True])

    def probabilities(self):
        return np.full(16, 1 / 16)

    def class_weights(self):
        return np.ones(2, np.float32)


CLASSES = {'floor': False, 'box': True}
OPTIONS = TrainingOptions(steps=4, batch=2, size_hw=(64, 64), threads=1)


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path):
    whole = open_run(OPTIONS, CLASSES, tmp_path, resume=False)
    for _ in train(whole, Boxes(), tmp_path / 'whole'):
        pass
    broken = open_run(OPTIONS, CLASSES, tmp_path, resume=False)
    for now in train(broken, Boxes(), tmp_path / 'broken'):
        if now.step == 2:
            save(now, tmp_path / 'broken')
            break
    resumed = open_run(OPTIONS, CLASSES, tmp_path / 'broken', resume=True)
    assert resumed.step == 2
    for _ in train(resumed, Boxes(), tmp_path / 'broken'):
        pass
    assert np.allclose(resumed.losses, whole.losses, rtol=1e-3)
    for name, value in whole.mean.state_dict().items():
        assert torch.allclose(resumed.mean.state_dict()[name].float(), value.float(), atol=1e-3)


def test_training_learns(tmp_path):
    options = TrainingOptions(steps=60, batch=4, size_hw=(64, 96), input_hw=(64, 96))
    run = open_run(options, CLASSES, tmp_path, resume=False)
    for _ in train(run, Boxes(), tmp_path):
        pass
    losses = np.array(run.losses)
    # Classes, centres and offsets, each.
    assert (losses[-5:].mean(axis=0) < 0.9 * losses[:5].mean(axis=0)).all()


def test_frozen_layers_stay_as_they_are(tmp_path):
    options = TrainingOptions(steps=2, batch=2, size_hw=(64, 64), threads=1, frozen=4)
    run = open_run(options, CLASSES, tmp_path, resume=False)
    before = {name: value.clone() for name, value in run.network.state_dict().items()}
    for _ in train(run, Boxes(), tmp_path):
        pass
    changed = {
        name for name, value in run.network.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert not any(name.startswith(('features.0.', 'features.3.')) for name in changed)
    assert 'features.4.conv.0.0.weight' in changed


def test_images_prepared_ahead_are_those_prepared_one_after_another():
    batches = Batches(Boxes(), 2, (64, 64), (288, 384), seed=3)
    cpu = torch.device('cpu')
    ahead = list(batches_of(batches, range(4, 7), cpu, workers=2))
    in_turn = list(batches_of(batches, range(4, 7), cpu, workers=0))
    assert len(ahead) == len(in_turn) == 3
    for one, other in zip(ahead, in_turn, strict=True):
        assert all(map(torch.equal, one, other))
    assert not torch.equal(in_turn[0].rgb, in_turn[1].rgb)


@pytest.mark.skipif(torch.cuda.is_available(), reason='a GPU is there')
def test_a_gpu_that_is_not_there_is_missed_by_name(tmp_path):
    with pytest.raises(SettingError, match=r'cuda: PyTorch .* finds no GPU'):
        open_run(TrainingOptions(device='cuda'), CLASSES, tmp_path, resume=False)


def test_resuming_nothing_is_refused(tmp_path):
    with pytest.raises(SettingError, match='checkpoint'):
        open_run(OPTIONS, CLASSES, tmp_path, resume=True)


def test_a_checkpoint_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    run = open_run(OPTIONS, CLASSES, tmp_path, resume=False)
    (tmp_path / 'checkpoint.pt').mkdir()
    with pytest.raises(SettingError, match=r'checkpoint\.pt is a folder'):
        save(run, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['checkpoint.pt']


@pytest.mark.parametrize('other', [
    {'box': True, 'floor': False}, {'floor': False, 'box': True, 'lid': True},
])
def test_a_run_of_other_classes_is_not_resumed(tmp_path, other):
    save(open_run(OPTIONS, CLASSES, tmp_path, resume=False), tmp_path)
    assert open_run(OPTIONS, CLASSES, tmp_path, resume=True).classes == CLASSES
    with pytest.raises(SettingError, match=r'checkpoint\.pt was trained on floor, box and'):
        open_run(OPTIONS, other, tmp_path, resume=True)


def test_a_run_whose_things_were_others_is_not_resumed(tmp_path):
    save(open_run(OPTIONS, CLASSES, tmp_path, resume=False), tmp_path)
    with pytest.raises(SettingError, match=r'with the things box and in the data they are none;'):
        open_run(OPTIONS, {'floor': False, 'box': False}, tmp_path, resume=True)


def test_a_checkpoint_that_does_not_say_what_are_things_is_resumed(tmp_path):
    save(open_run(OPTIONS, CLASSES, tmp_path, resume=False), tmp_path)
    state = torch.load(tmp_path / 'checkpoint.pt', weights_only=True)
    torch.save({key: state[key] for key in state if key != 'things'}, tmp_path / 'checkpoint.pt')
    assert open_run(OPTIONS, CLASSES, tmp_path, resume=True).classes == CLASSES


def test_a_checkpoint_that_does_not_name_its_classes_is_compared_by_their_number(tmp_path):
    save(open_run(OPTIONS, CLASSES, tmp_path, resume=False), tmp_path)
    state = torch.load(tmp_path / 'checkpoint.pt', weights_only=True)
    old = {key: state[key] for key in state if key not in ('classes', 'things')}
    torch.save(old, tmp_path / 'checkpoint.pt')
    assert open_run(OPTIONS, CLASSES, tmp_path, resume=True).step == 0
    with pytest.raises(SettingError, match='was trained on 2 classes and the data have a, b, c'):
        open_run(OPTIONS, dict.fromkeys('abc', False), tmp_path, resume=True)


def test_a_checkpoint_that_is_cut_short_is_named(tmp_path):
    save(open_run(OPTIONS, CLASSES, tmp_path, resume=False), tmp_path)
    data = (tmp_path / 'checkpoint.pt').read_bytes()
    (tmp_path / 'checkpoint.pt').write_bytes(data[:1000])
    with pytest.raises(SettingError, match=r'checkpoint\.pt cannot be read'):
        open_run(OPTIONS, CLASSES, tmp_path, resume=True)
