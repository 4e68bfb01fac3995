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

import json
from pathlib import Path
from tempfile import gettempdir

import cv2
import numpy as np
import pytest
from seg_ros.cli import main
from street import make_image


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / 'in'
    folder.mkdir()
    for seed in range(3):
        cv2.imwrite(str(folder / f'p{seed}.png'), make_image(seed, (120, 160)))
    return folder


def run(*words):
    return main(['run', *map(str, words), '--model', 'otsu'])


def test_images_that_lie_where_masks_go_are_not_written_over(images, tmp_path, capsys):
    images.rename(tmp_path / 'semantic')
    before = (tmp_path / 'semantic' / 'p0.png').read_bytes()
    for inputs in (tmp_path / 'semantic', tmp_path / 'semantic' / 'p0.png'):
        assert run(inputs, '--out', tmp_path) == 1
        assert 'where masks go' in capsys.readouterr().err
    assert (tmp_path / 'semantic' / 'p0.png').read_bytes() == before


@pytest.mark.parametrize('name', ['overlay.mp4', 'overlay_2.mp4'])
def test_a_video_that_lies_where_overlays_go_is_not_written_over(
    name, grey_video, tmp_path, capsys
):
    video = tmp_path / name
    video.write_bytes(grey_video.read_bytes())
    assert run(grey_video, video, '--out', tmp_path) == 1
    assert 'where masks go' in capsys.readouterr().err
    assert video.read_bytes() == grey_video.read_bytes()


def test_a_link_among_earlier_masks_is_not_followed(images, tmp_path, capsys):
    (tmp_path / 'precious').write_text('precious')
    (tmp_path / 'masks' / 'semantic').mkdir(parents=True)
    (tmp_path / 'masks' / 'semantic' / 'p1.png').symlink_to(tmp_path / 'precious')
    assert run(images, '--out', tmp_path / 'masks') == 1
    assert 'is a link' in capsys.readouterr().err
    assert (tmp_path / 'precious').read_text() == 'precious'
    table = json.loads((tmp_path / 'masks' / 'panoptic.json').read_text())
    assert [item['file_name'] for item in table['annotations']] == ['p0.png']


def test_a_folder_of_images_becomes_a_folder_of_masks(images, tmp_path, capsys):
    out = tmp_path / 'masks'
    assert run(images, '--out', out, '--json') == 0
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    assert (figures['images'], figures['skipped'], captured.err) == (3, 0, '')
    assert set(figures['ms']) == {'read', 'fit', 'network', 'paint', 'write'}
    assert all(median >= 0 for median in figures['ms'].values())
    names = sorted(str(path.relative_to(out)) for path in out.rglob('*.*'))
    assert names == sorted([
        'panoptic.json',
        *(f'{kind}/p{seed}.png' for kind in ('semantic', 'instance', 'overlay', 'panoptic')
          for seed in range(3)),
    ])


def test_the_bright_cars_are_the_objects_that_otsu_finds(images, tmp_path, capsys):
    run(images, '--out', tmp_path / 'masks', '--json')
    segments = json.loads(capsys.readouterr().out)['segments']
    table = json.loads((tmp_path / 'masks/panoptic.json').read_text())
    rows = [row for item in table['annotations'] for row in item['segments_info']]
    assert segments == sum(row['id'] < 65536 for row in rows)
    for seed in range(3):
        instance = cv2.imread(str(tmp_path / f'masks/instance/p{seed}.png'), -1)
        assert instance.max() > 0
        assert (instance > 0).sum() == sum(
            row['area'] for row in table['annotations'][seed]['segments_info']
            if row['id'] < 65536
        )


def test_the_count_and_the_folder_are_printed(images, tmp_path, capsys):
    assert run(images, '--out', tmp_path / 'masks') == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('images: 3, instances: ')
    assert lines[-1] == f'masks are in {tmp_path / "masks"}'


def test_a_bad_image_makes_the_exit_code_1_and_the_rest_is_done(images, tmp_path, capsys):
    (images / 'bad.png').write_bytes(b'not an image')
    assert run(images, '--out', tmp_path / 'masks', '--json') == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)['skipped'] == 1
    assert captured.err.startswith(f'seg_ros run: skipped {images / "bad.png"}: ')
    assert len(captured.err.splitlines()) == 1
    assert len(list((tmp_path / 'masks/semantic').iterdir())) == 3


def test_a_missing_input_is_one_line_and_exit_code_1(tmp_path, capsys):
    assert run(tmp_path / 'missing.png', '--out', tmp_path / 'masks') == 1
    captured = capsys.readouterr()
    assert captured.out == ''
    assert captured.err == (
        f'seg_ros run: {tmp_path / "missing.png"}: there is no such file or folder\n'
    )
    assert not (tmp_path / 'masks').exists()


def test_inputs_none_of_which_can_be_read_end_with_exit_code_1(tmp_path, capsys):
    for name in ('a.png', 'b.png'):
        (tmp_path / name).write_bytes(b'not an image')
    assert run(tmp_path / 'a.png', tmp_path / 'b.png', '--out', tmp_path / 'masks') == 1
    *left_out, last = capsys.readouterr().err.splitlines()
    assert len(left_out) == 2
    assert last == 'seg_ros run: none of 2 images could be read'


def test_a_model_that_is_missing_is_one_line_and_exit_code_1(images, tmp_path, capsys):
    words = [str(images), '--out', str(tmp_path / 'masks'), '--model', 'missing.onnx']
    assert main(['run', *words]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith('seg_ros run: ')
    assert 'missing.onnx' in line


def test_a_setting_out_of_its_range_is_one_line_and_exit_code_1(images, tmp_path, capsys):
    assert run(images, '--out', tmp_path / 'masks', '--overlay-alpha', '2') == 1
    assert capsys.readouterr().err == (
        'seg_ros run: overlay_alpha: 2.0; expected 0.0 to 1.0\n'
    )


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_a_bag_becomes_a_bag_of_masks_with_the_same_storage(storage, tmp_path, capsys):
    rosbag2 = pytest.importorskip('rosbags.rosbag2', reason='rosbags is not installed')
    from rosbags.typesys import get_typestore, Stores

    types = get_typestore(Stores.ROS2_JAZZY)
    kind = 'sensor_msgs/msg/Image'
    plugin = rosbag2.StoragePlugin[storage.upper()]
    with rosbag2.Writer(tmp_path / 'drive', version=8, storage_plugin=plugin) as writer:
        connection = writer.add_connection('/front/image_raw', kind, typestore=types)
        for seed in range(3):
            stamp = types.types['builtin_interfaces/msg/Time'](50, seed)
            header = types.types['std_msgs/msg/Header'](stamp, 'front_optical')
            pixels = make_image(seed, (120, 160))
            message = types.types[kind](header, 120, 160, 'bgr8', 0, 480, pixels.reshape(-1))
            writer.write(connection, 100 + seed, types.serialize_cdr(message, kind))
    out = tmp_path / 'masks'
    assert run(tmp_path / 'drive', '--out', out, '--json') == 0
    assert json.loads(capsys.readouterr().out)['images'] == 3
    names = [f'front_image_raw_5000000000{seed}' for seed in range(3)]
    assert [path.stem for path in sorted((out / 'semantic').iterdir())] == names
    suffix = {'sqlite3': '.db3', 'mcap': '.mcap'}[storage]
    assert len(list((out / 'bag').glob(f'*{suffix}'))) == 1
    with rosbag2.Reader(out / 'bag') as reader:
        assert {item.topic: item.msgcount for item in reader.connections} == {
            f'/segmentation/front/{name}': 3
            for name in ('semantic', 'instance', 'panoptic', 'confidence')
        }
        for connection, time, data in reader.messages():
            message = types.deserialize_cdr(data, kind)
            seed = time - 100
            assert message.header.stamp.nanosec == seed
            if connection.topic.endswith('/semantic'):
                np.testing.assert_array_equal(
                    message.data.reshape(120, 160),
                    cv2.imread(str(out / f'semantic/{names[seed]}.png'), -1),
                )
    assert run(tmp_path / 'drive', '--out', out) == 1
    assert capsys.readouterr().err == (
        f'seg_ros run: {out / "bag"} exists already; expected a new folder for the recording; '
        'choose another --out\n'
    )


@pytest.fixture
def grey_video(tmp_path):
    """Write five grey frames at 12 Hz."""
    path = tmp_path / 'drive.mp4'
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), 12, (64, 48))
    for _ in range(5):
        video.write(np.full((48, 64, 3), 90, np.uint8))
    video.release()
    return path


def test_where_opencv_writes_no_video_the_masks_are_written_and_the_reason_is_given(
    grey_video, tmp_path, monkeypatch, capsys
):
    class Unable:
        def open(self, *_):
            return False

        def isOpened(self):     # noqa: N802 - OpenCV's name
            return False

        def write(self, _):
            pass

        def release(self):
            pass

        fourcc = cv2.VideoWriter.fourcc

    monkeypatch.setattr(cv2, 'VideoWriter', Unable)
    out = tmp_path / 'masks'
    assert run(grey_video, '--out', out) == 1
    assert 'overlay.mp4: OpenCV' in capsys.readouterr().err
    assert len(list((out / 'semantic').iterdir())) == 5
    assert not (out / 'overlay.mp4').exists()


def test_a_video_that_the_disk_did_not_take_whole_does_not_appear(
    grey_video, tmp_path, monkeypatch, capsys
):
    class Full:
        """OpenCV on a disk that is full: it warns, and the end of the file is missing."""

        fourcc = cv2.VideoWriter.fourcc

        def __init__(self, writer=cv2.VideoWriter):
            self.writer = writer()

        def open(self, path, *rest):
            self.path = Path(path)
            return self.writer.open(path, *rest)

        def isOpened(self):     # noqa: N802 - OpenCV's name
            return self.writer.isOpened()

        def write(self, image):
            self.writer.write(image)

        def release(self):
            self.writer.release()
            self.path.write_bytes(self.path.read_bytes()[:500])

    monkeypatch.setattr(cv2, 'VideoWriter', Full)
    out = tmp_path / 'masks'
    assert run(grey_video, '--out', out) == 1
    assert f'{gettempdir()} did not hold all of its 5 frames' in capsys.readouterr().err
    assert len(list((out / 'semantic').iterdir())) == 5
    assert not (out / 'overlay.mp4').exists()


def test_a_video_becomes_a_video_of_overlays_at_its_rate(grey_video, tmp_path):
    out = tmp_path / 'masks'
    assert run(grey_video, '--out', out) == 0
    overlays = cv2.VideoCapture(str(out / 'overlay.mp4'))
    assert overlays.get(cv2.CAP_PROP_FPS) == 12
    assert overlays.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    assert overlays.read()[1].shape == (48, 64, 3)
