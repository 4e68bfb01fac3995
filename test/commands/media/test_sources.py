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

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from seg_ros.commands.media.sources import open_sources
from seg_ros.core.errors import ImageError
from street import make_image


def write_image(path, seed=0):
    assert cv2.imwrite(str(path), make_image(seed))
    return path


def write_video(path, count=20):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (80, 60))
    if not writer.isOpened():
        pytest.skip('this OpenCV writes no videos')
    for seed in range(count):
        writer.write(make_image(seed))
    writer.release()
    return path


def read_all(paths, skips):
    sources = open_sources(paths, (), skips)
    return [image for source in sources for image in source.images(skips)]


@pytest.mark.parametrize('suffix', ['.png', '.bmp', '.tif', '.ppm', '.webp', '.PNG'])
def test_an_image_of_any_format_is_read(suffix, tmp_path, skips):
    path = write_image(tmp_path / f'street{suffix}')
    (image,) = read_all([path], skips)
    assert (image.name, image.source) == ('street', str(path))
    assert np.abs(image.frame.pixels.astype(int) - make_image()).mean() < 2
    assert not skips


def test_an_image_is_known_by_its_content_too(tmp_path, skips):
    path = write_image(tmp_path / 'street.png').rename(tmp_path / 'street.20260101')
    assert len(read_all([path], skips)) == 1


def test_a_folder_gives_its_images_in_order_and_skips_other_files(tmp_path, skips):
    for name in ('b.png', 'a.jpg', 'c.png'):
        write_image(tmp_path / name)
    (tmp_path / 'notes.txt').write_text('not an image')
    (tmp_path / 'folder.png').mkdir()
    assert [image.name for image in read_all([tmp_path], skips)] == ['a', 'b', 'c']
    assert not skips


def test_damaged_images_are_reported_and_the_rest_is_read(tmp_path, skips):
    write_image(tmp_path / 'a.png')
    (tmp_path / 'b.png').write_bytes((tmp_path / 'a.png').read_bytes()[:60])
    (tmp_path / 'c.png').write_bytes(b'')
    (tmp_path / 'd.jpg').write_bytes(b'hello')
    write_image(tmp_path / 'e.png')
    assert [image.name for image in read_all([tmp_path], skips)] == ['a', 'e']
    assert [name for name, _ in skips] == [str(tmp_path / x) for x in ('b.png', 'c.png', 'd.jpg')]


def test_paths_that_hold_no_images_are_reported(tmp_path, skips):
    good = write_image(tmp_path / 'good.png')
    empty = tmp_path / 'empty'
    empty.mkdir()
    text = tmp_path / 'words.txt'
    text.write_text('hello')
    paths = [tmp_path / 'missing.png', empty, text, good]
    assert [image.name for image in read_all(paths, skips)] == ['good']
    assert [message.split(';')[0] for _, message in skips] == [
        'there is no such file or folder',
        'a folder without images and without metadata.yaml',
        'neither an image nor a video nor a rosbag2 recording',
    ]


@pytest.mark.parametrize('name', ['notes.txt', 'NOTES.TXT', 'weights.bin', 'table.asc'])
def test_bytes_that_could_be_drawn_as_characters_are_not_taken_for_a_video(name, tmp_path, skips):
    (tmp_path / name).write_bytes(b'as long as a few lines of text\n' * 2000)
    with pytest.raises(ImageError, match='nothing to read'):
        open_sources([tmp_path / name], (), skips)
    assert 'neither an image nor a video' in skips[0][1]


def test_without_any_images_there_is_an_error(tmp_path, skips):
    with pytest.raises(ImageError, match='nothing to read'):
        open_sources([tmp_path], (), skips)


def test_a_pipe_in_a_folder_does_not_hold_the_rest_up(tmp_path, skips):
    os.mkfifo(tmp_path / 'a.png')
    os.mkfifo(tmp_path / 'b')
    (tmp_path / 'c.png').symlink_to('/dev/zero')
    (tmp_path / 'd.png').symlink_to(tmp_path / 'nowhere')
    write_image(tmp_path / 'e.png')
    assert [image.name for image in read_all([tmp_path], skips)] == ['e']
    assert [(name, words.split(';')[0]) for name, words in skips] == [
        (str(tmp_path / 'a.png'), 'a pipe, a device or a socket'),
        (str(tmp_path / 'c.png'), 'a pipe, a device or a socket'),
        (str(tmp_path / 'd.png'), 'cannot be read (No such file or directory)'),
    ]


@pytest.mark.parametrize('kind', ['pipe', 'zero'])
def test_a_pipe_or_device_is_refused(kind, tmp_path, skips):
    path = tmp_path / 'pipe'
    os.mkfifo(path)
    with pytest.raises(ImageError, match='nothing to read'):
        open_sources([path if kind == 'pipe' else Path('/dev/zero')], (), skips)
    assert 'a pipe, a device or a socket' in skips[0][1]


def test_a_file_larger_than_any_image_is_not_read(tmp_path, skips):
    with open(tmp_path / 'a.png', 'wb') as file:
        file.truncate(80 << 30)
    assert read_all([tmp_path], skips) == []
    assert 'a file of 85899345920 bytes' in skips[0][1]


def test_a_name_that_cannot_be_a_file_is_reported(skips):
    with pytest.raises(ImageError):
        open_sources([Path('a\0b')], (), skips)
    assert len(skips) == 1


def test_a_video_gives_numbered_frames(tmp_path, skips):
    path = write_video(tmp_path / 'drive.avi')
    (source,) = open_sources([path], (), skips)
    images = list(source.images(skips))
    assert len(source) == len(images) == 20
    assert [image.name for image in images[:2]] == ['drive_000000', 'drive_000001']
    for seed, image in enumerate(images):
        error = np.abs(image.frame.pixels.astype(int) - make_image(seed))
        assert (image.frame.color, error.mean() < 4) == ('bgr', True)
    assert not skips


def test_a_photograph_is_turned_as_its_file_says(tmp_path, skips):
    path = write_image(tmp_path / 'phone.jpg')
    data = path.read_bytes()
    turned = b'Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0'
    path.write_bytes(
        data[:2] + b'\xff\xe1' + (len(turned) + 2).to_bytes(2, 'big') + turned + data[2:]
    )
    (image,) = read_all([path], skips)
    np.testing.assert_array_equal(image.frame.pixels, cv2.imread(str(path)))
    assert image.frame.size_hw == (80, 60)


def test_of_a_file_of_several_images_the_first_is_taken_and_reported(tmp_path, skips):
    path = tmp_path / 'pages.tif'
    assert cv2.imwritemulti(str(path), [make_image(0), make_image(1)])
    notes = []
    (source,) = open_sources([path], (), skips, notes.append)
    (image,) = source.images(skips)
    np.testing.assert_array_equal(image.frame.pixels, make_image(0))
    assert notes == [f'{path}: only the first of its images is used']


def test_names_that_are_not_utf8_harm_nothing(tmp_path, skips):
    image = write_image(tmp_path / 'street.png').rename(tmp_path / os.fsdecode(b'stra\xdfe'))
    video = write_video(tmp_path / 'drive.avi').rename(tmp_path / os.fsdecode(b'stra\xdfe.avi'))
    (found,) = read_all([tmp_path], skips)
    assert found.source == str(image)
    with pytest.raises(ImageError):
        open_sources([video], (), skips)
    assert skips[-1] == (str(video), 'a video whose name is not UTF-8; rename it')


class Capture:
    """A video of three frames at 0, 20 and 500 ms that announces ten a second for a second."""

    def __init__(self, path):
        self.frames = [0, 20, 500]
        self.at_ms = 0

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return True

    def release(self):
        pass

    def get(self, what):
        return {
            cv2.CAP_PROP_FRAME_COUNT: 6, cv2.CAP_PROP_FPS: 10, cv2.CAP_PROP_POS_MSEC: self.at_ms,
        }[what]

    def read(self):
        if not self.frames:
            return False, None
        self.at_ms = self.frames.pop(0)
        return True, make_image(0)


def test_a_video_of_variable_rate_is_whole_where_its_last_frame_is_at_its_end(
    tmp_path, skips, monkeypatch
):
    path = tmp_path / 'screen.mkv'
    path.write_bytes(b'a video')
    monkeypatch.setattr(cv2, 'VideoCapture', Capture)
    images = read_all([path], skips)
    assert [image.frame.stamp_ns for image in images] == [0, 20_000_000, 500_000_000]
    assert not skips
    monkeypatch.setattr(Capture, 'get', lambda self, what: 0 if (
        what == cv2.CAP_PROP_POS_MSEC) else 10)
    images = read_all([path], skips)
    assert [image.frame.stamp_ns for image in images] == [0, 100_000_000, 200_000_000]
    assert skips[-1][1].startswith('a video that ends after 3 of 10 frames')


def test_a_video_that_announces_its_clock_has_the_rate_of_its_first_frames(
    tmp_path, skips, monkeypatch
):
    class Recording(Capture):
        """A browser's recording: 40 frames, 33 ms apart, and 1000 announced for each second."""

        def __init__(self, path):
            super().__init__(path)
            self.frames = [33 * number for number in range(40)]

        def get(self, what):
            announced = {cv2.CAP_PROP_FRAME_COUNT: 1320, cv2.CAP_PROP_FPS: 1000}
            return announced.get(what, self.at_ms)

        def grab(self):
            return self.read()[0]

    path = tmp_path / 'recording.webm'
    path.write_bytes(b'a video')
    monkeypatch.setattr(cv2, 'VideoCapture', Recording)
    [video] = open_sources([path], (), lambda name, error: None)
    assert video.rate_hz == pytest.approx(1000 / 33)
    assert len(video) == 40
    assert len(read_all([path], skips)) == 40
    assert not skips


def test_motion_jpeg_without_a_container_is_a_video(tmp_path, skips):
    path = tmp_path / 'camera.mjpeg'
    path.write_bytes(b''.join(cv2.imencode('.jpg', make_image(0))[1].tobytes() for _ in range(5)))
    if not cv2.VideoCapture(str(path)).isOpened():
        pytest.skip('this OpenCV reads no Motion-JPEG')
    assert len(read_all([path], skips)) == 5


@pytest.mark.parametrize(('head', 'advice'), [
    (b'\x89MCAP0\r\n', 'rename'), (b'SQLite format 3\0', 'rename'),
    (b'\x28\xb5\x2f\xfd', 'unzstd'),
])
def test_recordings_under_other_names_say_what_they_are(head, advice, tmp_path, skips):
    (tmp_path / 'recording').write_bytes(head + bytes(100))
    with pytest.raises(ImageError):
        open_sources([tmp_path / 'recording'], (), skips)
    assert advice in skips[0][1]


def test_a_truncated_video_is_reported(tmp_path, skips):
    path = write_video(tmp_path / 'drive.avi')
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    images = read_all([path], skips)
    assert 0 < len(images) < 15
    ((name, message),) = skips
    assert name == str(path)
    assert message.startswith(f'a video that ends after {len(images)} of ')
