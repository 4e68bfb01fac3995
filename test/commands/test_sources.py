import cv2
import numpy as np
import pytest
from seg_ros.commands.sources import open_sources
from seg_ros.core.errors import ImageError
from street import make_picture


def write_picture(path, seed=0):
    assert cv2.imwrite(str(path), make_picture(seed))
    return path


def write_video(path, count=20):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (80, 60))
    if not writer.isOpened():
        pytest.skip('this OpenCV writes no videos')
    for seed in range(count):
        writer.write(make_picture(seed))
    writer.release()
    return path


def read_all(paths, skips):
    sources = open_sources(paths, (), skips)
    return [picture for source in sources for picture in source.pictures(skips)]


@pytest.mark.parametrize('suffix', ['.png', '.bmp', '.tif', '.ppm', '.webp', '.PNG'])
def test_a_picture_of_any_format_is_read(suffix, tmp_path, skips):
    path = write_picture(tmp_path / f'street{suffix}')
    (picture,) = read_all([path], skips)
    assert (picture.name, picture.source) == ('street', str(path))
    assert np.abs(picture.frame.pixels.astype(int) - make_picture()).mean() < 2
    assert not skips


def test_a_picture_is_known_by_its_content_too(tmp_path, skips):
    path = write_picture(tmp_path / 'street.png').rename(tmp_path / 'street.20260101')
    assert len(read_all([path], skips)) == 1


def test_a_folder_gives_its_pictures_in_order_and_passes_over_other_files(tmp_path, skips):
    for name in ('b.png', 'a.jpg', 'c.png'):
        write_picture(tmp_path / name)
    (tmp_path / 'notes.txt').write_text('not a picture')
    (tmp_path / 'folder.png').mkdir()
    assert [picture.name for picture in read_all([tmp_path], skips)] == ['a', 'b', 'c']
    assert not skips


def test_damaged_pictures_are_told_and_the_rest_is_read(tmp_path, skips):
    write_picture(tmp_path / 'a.png')
    (tmp_path / 'b.png').write_bytes((tmp_path / 'a.png').read_bytes()[:60])
    (tmp_path / 'c.png').write_bytes(b'')
    (tmp_path / 'd.jpg').write_bytes(b'hello')
    write_picture(tmp_path / 'e.png')
    assert [picture.name for picture in read_all([tmp_path], skips)] == ['a', 'e']
    assert [name for name, _ in skips] == [str(tmp_path / x) for x in ('b.png', 'c.png', 'd.jpg')]


def test_paths_that_hold_no_pictures_are_told(tmp_path, skips):
    good = write_picture(tmp_path / 'good.png')
    empty = tmp_path / 'empty'
    empty.mkdir()
    text = tmp_path / 'words.txt'
    text.write_text('hello')
    paths = [tmp_path / 'missing.png', empty, text, good]
    assert [picture.name for picture in read_all(paths, skips)] == ['good']
    assert [message.split(';')[0] for _, message in skips] == [
        'there is no such file or folder',
        'a folder without pictures and without metadata.yaml',
        'neither a picture nor a video nor a rosbag2 recording',
    ]


def test_without_any_pictures_there_is_an_error(tmp_path, skips):
    with pytest.raises(ImageError, match='nothing to read'):
        open_sources([tmp_path], (), skips)


def test_a_video_gives_numbered_frames(tmp_path, skips):
    path = write_video(tmp_path / 'drive.avi')
    (source,) = open_sources([path], (), skips)
    pictures = list(source.pictures(skips))
    assert len(source) == len(pictures) == 20
    assert [picture.name for picture in pictures[:2]] == ['drive_000000', 'drive_000001']
    for seed, picture in enumerate(pictures):
        error = np.abs(picture.frame.pixels.astype(int) - make_picture(seed))
        assert (picture.frame.color, error.mean() < 4) == ('bgr', True)
    assert not skips


def test_a_video_that_breaks_off_is_told(tmp_path, skips):
    path = write_video(tmp_path / 'drive.avi')
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    pictures = read_all([path], skips)
    assert 0 < len(pictures) < 15
    ((name, message),) = skips
    assert name == str(path)
    assert message.startswith(f'a video that ends after {len(pictures)} of ')
