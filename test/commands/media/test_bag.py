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

from dataclasses import replace
import shutil

import cv2
import numpy as np
import pytest

pytest.importorskip('rosbags', reason='rosbags is not installed')

from rosbags.rosbag2 import CompressionFormat, CompressionMode, Reader, StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores
from seg_ros.commands.media.bag import Bag
from seg_ros.commands.media.bag_topics import camera_from_topic, file_name, left_out
from seg_ros.commands.media.bag_writer import BagWriter
from seg_ros.commands.media.sources import open_sources
from seg_ros.commands.progress import Progress
from seg_ros.core.errors import ImageError, SettingError
from street import make_image, segment
import yaml

TYPES = get_typestore(Stores.ROS2_JAZZY)
IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
STORAGES = ['sqlite3', 'mcap']
SECOND = 1_000_000_000


def header(seed):
    stamp = TYPES.types['builtin_interfaces/msg/Time'](1000 + seed, 7)
    return TYPES.types['std_msgs/msg/Header'](stamp, 'camera_optical')


def raw(seed, encoding='bgr8', pixels=None):
    pixels = make_image(seed) if pixels is None else pixels
    height, width = pixels.shape[:2]
    data = pixels.reshape(-1).view(np.uint8)
    return IMAGE, TYPES.types[IMAGE](
        header(seed), height, width, encoding, 0, len(data) // height, data
    )


def compressed(seed):
    data = cv2.imencode('.png', make_image(seed))[1]
    return COMPRESSED, TYPES.types[COMPRESSED](header(seed), 'bgr8; png compressed bgr8', data)


def read_all(paths, skips):
    return [image for source in open_sources(paths, (), skips) for image in source.images(skips)]


def text():
    kind = 'std_msgs/msg/String'
    return kind, TYPES.types[kind]('hello')


def write_bag(path, storage, messages):
    """Write messages as (topic, (type, message) or (type, bytes)), a second apart."""
    with Writer(path, version=8, storage_plugin=StoragePlugin[storage.upper()]) as writer:
        connections = {}
        for number, (topic, (kind, message)) in enumerate(messages):
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=TYPES)
            data = message if type(message) is bytes else TYPES.serialize_cdr(message, kind)
            writer.write(connections[topic], 5000 * SECOND + number * SECOND, data)
    return path


def read_bag(path):
    """Return all messages by topic, as (time, message)."""
    found = {}
    with Reader(path) as reader:
        for connection, time, data in reader.messages():
            message = TYPES.deserialize_cdr(data, connection.msgtype)
            found.setdefault(connection.topic, []).append((time, message))
    return found


@pytest.mark.parametrize('storage', STORAGES)
def test_raw_and_compressed_images_are_read_with_their_headers(storage, tmp_path, skips):
    path = write_bag(tmp_path / 'bag', storage, [
        ('/front/image_raw', raw(0)), ('/chatter', text()),
        ('/rear/image_raw/compressed', compressed(1)), ('/front/image_raw', raw(2)),
    ])
    (bag,) = open_sources([path], (), skips)
    images = list(bag.images(skips))
    assert (len(bag), bag.storage, skips) == (3, storage, [])
    assert [item.name for item in images] == [
        'front_image_raw_1000000000007', 'rear_image_raw_compressed_1001000000007',
        'front_image_raw_1002000000007',
    ]
    assert [item.received_ns // SECOND for item in images] == [5000, 5002, 5003]
    for seed, item in enumerate(images):
        frame = item.frame
        np.testing.assert_array_equal(frame.pixels, make_image(seed))
        assert (frame.stamp_ns, frame.frame_id) == ((1000 + seed) * SECOND + 7, 'camera_optical')


@pytest.mark.parametrize('storage', STORAGES)
def test_the_file_of_a_bag_can_be_given_instead_of_its_folder(storage, tmp_path, skips):
    folder = write_bag(tmp_path / 'bag', storage, [('/front/image_raw', raw(0))])
    (path,) = (item for item in folder.iterdir() if item.suffix != '.yaml')
    (bag,) = open_sources([path], (), skips)
    assert bag.storage == storage
    assert len(list(bag.images(skips))) == len(bag) == 1


def test_only_the_topics_asked_for_are_read(tmp_path, skips):
    path = write_bag(tmp_path / 'bag', 'mcap', [
        ('/front/image_raw', raw(0)), ('/rear/image_raw', raw(1)), ('/rear/image_raw', raw(2)),
    ])
    bag = Bag(path, ['/rear/image_raw'])
    assert len(bag) == 2
    assert {item.topic for item in bag.images(skips)} == {'/rear/image_raw'}


@pytest.mark.parametrize('storage', STORAGES)
def test_a_bad_message_that_is_all_there_is_does_not_make_the_recording_damaged(storage, tmp_path):
    kind, message = raw(0)
    short = replace(message, data=message.data[:100])
    path = write_bag(tmp_path / 'bag', storage, [('/front/image_raw', (kind, short))])
    (bag,) = open_sources([path], (), Progress('run', 1).skip)
    with pytest.raises(ImageError, match=r'/front/image_raw: bgr8 image .* 100 bytes') as caught:
        list(bag.images(Progress('run', 1).skip))
    assert 'damaged' not in str(caught.value)
    assert 'repair' not in str(caught.value)


@pytest.mark.parametrize('topic', ['/chatter', '/nowhere'])
def test_a_topic_without_images_is_refused_and_those_with_are_named(topic, tmp_path):
    messages = [('/front/image_raw', raw(0)), ('/chatter', text())]
    path = write_bag(tmp_path / 'bag', 'mcap', messages)
    with pytest.raises(ImageError, match=f'{topic}; expected some of /front/image_raw'):
        Bag(path, [topic])


def test_a_bag_without_images_is_refused(tmp_path):
    path = write_bag(tmp_path / 'bag', 'mcap', [('/chatter', text())])
    with pytest.raises(ImageError, match='a recording without image topic'):
        Bag(path, [])


@pytest.mark.parametrize('storage', STORAGES)
def test_messages_that_cannot_be_read_are_reported_one_by_one(storage, tmp_path, skips):
    depth = np.ones((60, 80), np.float32)
    whole = TYPES.serialize_cdr(raw(3)[1], IMAGE)
    path = write_bag(tmp_path / 'bag', storage, [
        ('/front/image_raw', raw(0)),
        ('/front/image_raw', raw(1, '32FC1', depth)),
        ('/front/image_raw', (IMAGE, bytes(whole)[:100])),
        ('/front/image_raw', raw(2, 'bgr8', make_image(2)[:, :, 0].copy())),
        ('/front/image_raw', (IMAGE, b'')),
        ('/front/image_raw', raw(5)),
    ])
    images = list(Bag(path, []).images(skips))
    assert [pixels.frame.stamp_ns // SECOND for pixels in images] == [1000, 1005]
    assert [name for name, _ in skips] == [
        *4 * [f'{path}, /front/image_raw']
    ]
    assert [message.split(' ')[:2] for _, message in skips] == [
        ['encoding', '32FC1,'], ['a', 'damaged'], ['bgr8', 'image'], ['a', 'damaged'],
    ]


@pytest.mark.parametrize('storage', STORAGES)
@pytest.mark.parametrize('share', [0.0, 0.02, 0.5, 0.98])
def test_a_truncated_bag_is_reported_and_never_ends_the_run(storage, share, tmp_path, skips):
    folder = write_bag(tmp_path / 'bag', storage, [('/a/image', raw(seed)) for seed in range(20)])
    (path,) = (item for item in folder.iterdir() if item.suffix != '.yaml')
    path.write_bytes(path.read_bytes()[:int(share * path.stat().st_size)])
    try:
        (bag,) = open_sources([folder], (), skips)
    except ImageError:
        read = 0
    else:
        read = len(list(bag.images(skips)))
    assert read < 20
    assert 'a damaged recording' in skips[-1][1]


def test_damaged_metadata_is_reported(tmp_path, skips):
    folder = write_bag(tmp_path / 'bag', 'mcap', [('/a/image', raw(0))])
    (folder / 'metadata.yaml').write_text('rosbag2_bagfile_information: [')
    with pytest.raises(ImageError):
        open_sources([folder], (), skips)
    assert 'a damaged recording' in skips[0][1]


@pytest.mark.parametrize('storage', STORAGES)
def test_masks_are_written_under_the_headers_of_their_images(storage, tmp_path, skips):
    source = write_bag(tmp_path / 'in', storage, [
        ('/front/image_raw', raw(seed)) for seed in range(3)
    ])
    with BagWriter(tmp_path / 'out', storage) as writer:
        for pixels in Bag(source, []).images(skips):
            writer.write('any', pixels, segment(pixels.frame))
    written = read_bag(tmp_path / 'out')
    encodings = {
        'semantic': 'mono8', 'instance': '16UC1', 'panoptic': '32SC1', 'confidence': 'mono8'
    }
    assert set(written) == {f'/segmentation/front/{name}' for name in encodings}
    for seed, (time, image) in enumerate(read_bag(source)['/front/image_raw']):
        pixels = image.data.reshape(60, 80, 3)
        green = pixels[:, :, 1]
        semantic = np.select([green > 180, green < 60], [5, 2], 255)
        arrays = {}
        for name, encoding in encodings.items():
            at, message = written[f'/segmentation/front/{name}'][seed]
            assert (at, message.header) == (time, image.header)
            assert (message.height, message.width, message.encoding) == (60, 80, encoding)
            kind = np.dtype({'mono8': 'u1', '16UC1': '<u2', '32SC1': '<i4'}[encoding])
            assert (message.step, message.is_bigendian) == (80 * kind.itemsize, 0)
            arrays[name] = message.data.view(kind).reshape(60, 80)
        np.testing.assert_array_equal(arrays['semantic'], semantic)
        np.testing.assert_array_equal(arrays['instance'] > 0, semantic == 5)
        np.testing.assert_array_equal(arrays['panoptic'] >> 16, semantic)
        np.testing.assert_array_equal(arrays['panoptic'] & 0xFFFF, arrays['instance'])
        np.testing.assert_array_equal(arrays['confidence'] > 0, semantic != 255)


def test_two_topics_of_one_camera_are_kept_apart(tmp_path, skips):
    source = write_bag(tmp_path / 'in', 'mcap', [
        ('/front/image_raw', raw(0)), ('/front/image_rect', raw(0)),
    ])
    with BagWriter(tmp_path / 'out', 'mcap') as writer:
        for pixels in Bag(source, []).images(skips):
            writer.write('any', pixels, segment(pixels.frame))
    assert {topic.split('/')[2] for topic in read_bag(tmp_path / 'out')} == {'front', 'front_2'}


def test_a_bag_is_whole_even_if_the_run_ends_early(tmp_path, skips):
    source = write_bag(tmp_path / 'in', 'mcap', [('/a/image', raw(seed)) for seed in range(3)])

    pixels = next(Bag(source, []).images(skips))

    def interrupted():
        with BagWriter(tmp_path / 'out', 'mcap') as writer:
            writer.write('any', pixels, segment(pixels.frame))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(read_bag(tmp_path / 'out')['/segmentation/a/semantic']) == 1


def test_a_bag_that_cannot_be_written_is_reported(tmp_path, skips):
    source = write_bag(tmp_path / 'in', 'mcap', [('/a/image', raw(0))])
    (tmp_path / 'file').write_text('in the way')
    (pixels,) = Bag(source, []).images(skips)
    writer = BagWriter(tmp_path / 'file' / 'bag', 'mcap')
    with pytest.raises(SettingError, match='cannot be written'):
        writer.write('any', pixels, segment(pixels.frame))


@pytest.mark.parametrize(('topic', 'camera'), [
    ('/front/image_raw', 'front'), ('/front/image_raw/compressed', 'front'),
    ('/camera/camera/color/image_raw', 'camera_camera_color'), ('/image', 'camera'),
    ('/front/image_rect_color', 'front'), ('/thermal', 'thermal'),
])
def test_a_camera_is_named_by_its_topic(topic, camera):
    assert camera_from_topic(topic) == camera


DEPTH = np.full((60, 80), 1500, np.uint16)


def compressed_depth(seed):
    data = np.frombuffer(bytes(12) + cv2.imencode('.png', DEPTH)[1].tobytes(), np.uint8)
    return COMPRESSED, TYPES.types[COMPRESSED](header(seed), '16UC1; compressedDepth png', data)


@pytest.mark.parametrize('storage', STORAGES)
def test_of_a_depth_camera_the_colour_and_infrared_images_are_read_once(
    storage, tmp_path, skips
):
    gray = make_image(0)[:, :, 0].copy()
    path = write_bag(tmp_path / 'bag', storage, [
        ('/camera/color/image_raw', raw(0)), ('/camera/depth/image_raw', raw(0, '16UC1', DEPTH)),
        ('/camera/infra1/image_raw', raw(0, 'mono8', gray)),
        ('/camera/color/image_raw/compressed', compressed(0)),
        ('/camera/depth/image_raw/compressedDepth', compressed_depth(0)),
    ])
    notes = []
    (bag,) = open_sources([path], (), skips, notes.append)
    topics = [image.topic for image in bag.images(skips)]
    assert topics == ['/camera/color/image_raw', '/camera/infra1/image_raw']
    assert len(bag) == 2
    assert skips == []
    assert len(notes) == 3
    assert all('select it with --topic' in words for words in notes)


def test_masks_that_were_recorded_are_not_segmented_again(tmp_path, skips):
    semantic = make_image(0)[:, :, 0].copy()
    path = write_bag(tmp_path / 'bag', 'mcap', [
        ('/camera/image_raw', raw(0)),
        ('/segmentation/camera/semantic', raw(0, 'mono8', semantic)),
        ('/segmentation/camera/confidence', raw(0, 'mono8', semantic)),
        ('/segmentation/camera/panoptic', raw(0, '32SC1', semantic.astype(np.int32))),
        ('/segmentation/camera/overlay', raw(0)),
        ('/segmentation/camera/semantic/compressed', compressed(0)),
    ])
    assert [image.topic for image in Bag(path, []).images(skips)] == ['/camera/image_raw']
    assert skips == []


def test_a_topic_that_is_asked_for_is_taken_whatever_it_is(tmp_path, skips):
    path = write_bag(tmp_path / 'bag', 'mcap', [
        ('/camera/image_raw', raw(0)), ('/camera/image_raw/compressed', compressed(0)),
        ('/thermal/image_raw', raw(0, '16UC1', DEPTH)),
    ])
    bag = Bag(path, ['/camera/image_raw/compressed', '/thermal/image_raw'],
              brightness='1000..2000')
    images = list(bag.images(skips))
    assert [image.topic for image in images] == ['/camera/image_raw/compressed',
                                                 '/thermal/image_raw']
    assert images[1].frame.pixels[0, 0] == 128     # 1500 is half of 255 between 1000 and 2000
    assert skips == []


def test_a_recording_of_depth_alone_says_so(tmp_path):
    path = write_bag(tmp_path / 'bag', 'mcap', [('/depth', raw(0, '16UC1', DEPTH))])
    with pytest.raises(ImageError, match=r'depth or data .16UC1.*--topic'):
        Bag(path, [])


@pytest.mark.parametrize('storage', STORAGES)
def test_an_empty_recording_says_so(storage, tmp_path):
    kind = StoragePlugin[storage.upper()]
    with Writer(tmp_path / 'bag', version=8, storage_plugin=kind) as writer:
        writer.add_connection('/front/image_raw', IMAGE, typestore=TYPES)
    with Writer(tmp_path / 'none', version=8, storage_plugin=kind):
        pass
    with pytest.raises(ImageError, match='an empty recording'):
        Bag(tmp_path / 'bag', [])
    with pytest.raises(ImageError, match='without image topic'):
        Bag(tmp_path / 'none', [])


@pytest.mark.parametrize('storage', STORAGES)
def test_a_folder_without_metadata_gives_its_recordings(storage, tmp_path, skips):
    folder = write_bag(tmp_path / 'bag', storage, [('/front/image_raw', raw(0))])
    (folder / 'metadata.yaml').unlink()
    (bag,) = open_sources([folder], (), skips)
    assert bag.storage == storage
    assert len(list(bag.images(skips))) == 1
    assert skips == []


@pytest.mark.parametrize(('storage', 'advice'), [('mcap', 'mcap recover'), ('sqlite3', 'sqlite3')])
def test_a_recording_that_was_cut_says_what_repairs_it(storage, advice, tmp_path):
    folder = write_bag(tmp_path / 'bag', storage, [('/a/image', raw(seed)) for seed in range(20)])
    (path,) = (item for item in folder.iterdir() if item.suffix != '.yaml')
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 3])
    errors = []
    try:
        list(Bag(path, []).images(lambda name, error: errors.append(error)))
    except ImageError as error:
        errors.append(error)
    assert advice in errors[-1].do


def test_a_recording_of_ros_1_says_how_to_convert_it(tmp_path, skips):
    (tmp_path / 'old.bag').write_bytes(b'#ROSBAG V2.0\n' + bytes(4000))
    with pytest.raises(ImageError):
        open_sources([tmp_path / 'old.bag'], (), skips)
    assert 'rosbags-convert' in skips[0][1]


@pytest.mark.parametrize(
    'topic', ['/a\0b/image_raw', '/../../etc/image', '/a b/\n', '/' + 'x' * 400]
)
def test_a_topic_of_any_bytes_makes_a_file_name_and_a_camera_name(topic):
    assert file_name(topic).replace('.', '').replace('_', '').isalnum()
    assert '/' not in file_name(topic)
    assert len(file_name(topic)) < 200
    assert camera_from_topic(topic).replace('_', 'a').isalnum()


def test_topics_are_left_out_by_what_they_hold():
    assert left_out({
        '/rgb/image': 'rgb8', '/rgb/image/compressed': 'jpeg', '/only/image/compressed': 'jpeg',
        '/depth': '32FC1', '/semantic': 'mono8', '/broken': '',
    }).keys() == {'/rgb/image/compressed', '/depth'}


def test_a_recording_that_the_disk_does_not_take_leaves_nothing(tmp_path, skips, monkeypatch):
    source = write_bag(tmp_path / 'in', 'mcap', [('/a/image', raw(0))])
    (pixels,) = Bag(source, []).images(skips)

    def full(*_):
        raise OSError(28, 'No space left on device')

    def write():
        with BagWriter(tmp_path / 'out', 'mcap') as writer:
            writer.write('any', pixels, segment(pixels.frame))
            monkeypatch.setattr(Writer, 'write', full)
            writer.write('any', pixels, segment(pixels.frame))

    with pytest.raises(SettingError, match='No space left'):
        write()
    assert sorted(item.name for item in tmp_path.iterdir()) == ['in']


@pytest.mark.parametrize('storage', STORAGES)
def test_topics_without_messages_stand_for_no_camera(storage, tmp_path, skips):
    kind = StoragePlugin[storage.upper()]
    with Writer(tmp_path / 'bag', version=8, storage_plugin=kind) as writer:
        writer.add_connection('/front/image_raw', IMAGE, typestore=TYPES)
        full = writer.add_connection('/front/image_raw/compressed', COMPRESSED, typestore=TYPES)
        writer.write(full, 1, TYPES.serialize_cdr(compressed(0)[1], COMPRESSED))
    (image,) = Bag(tmp_path / 'bag', []).images(skips)
    assert image.topic == '/front/image_raw/compressed'
    with pytest.raises(ImageError, match='an empty recording'):
        Bag(tmp_path / 'bag', ['/front/image_raw'])


def with_metadata(folder, change):
    path = folder / 'metadata.yaml'
    data = yaml.safe_load(path.read_text())
    change(data['rosbag2_bagfile_information'])
    path.write_text(yaml.safe_dump(data))
    return folder


def set_counts(count):
    def change(data):
        for item in data['topics_with_message_count']:
            item['message_count'] = count

    return change


@pytest.mark.parametrize('storage', STORAGES)
@pytest.mark.parametrize(('count', 'reported'), [(9, 1), (0, 0), (-3, 0), (2, 0)])
def test_images_are_counted_whatever_the_metadata_say(count, reported, storage, tmp_path, skips):
    folder = write_bag(tmp_path / 'bag', storage, [('/a/image', raw(seed)) for seed in range(2)])
    (bag,) = open_sources([with_metadata(folder, set_counts(count))], (), skips)
    assert len(bag) == max(0, count)
    assert len(list(bag.images(skips))) == 2
    assert len(skips) == reported
    assert all('a recording of 2 images; expected 9' in words for _, words in skips)


@pytest.mark.parametrize(('change', 'words'), [
    ({'relative_file_paths': ['absent.db3']}, 'ros2 bag reindex'),
    ({'version': 99}, 'a recording that rosbags does not read'),
    ({'compression_format': 'lz4', 'compression_mode': 'MESSAGE'}, 'rosbags does not read'),
    ({'compression_format': 'zstd', 'compression_mode': 'MESSAGE'}, 'a damaged recording'),
])
def test_metadata_that_do_not_fit_are_reported_as_what_they_are(change, words, tmp_path, skips):
    folder = write_bag(tmp_path / 'bag', 'sqlite3', [('/a/image', raw(0))])
    with pytest.raises(ImageError):
        open_sources([with_metadata(folder, lambda data: data.update(change))], (), skips)
    assert words in skips[0][1]


def test_of_compressed_messages_without_metadata_the_reason_is_given(tmp_path, skips):
    writer = Writer(tmp_path / 'bag', version=8)
    writer.set_compression(CompressionMode.MESSAGE, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection('/a/image', IMAGE, typestore=TYPES)
        writer.write(connection, 1, TYPES.serialize_cdr(raw(0)[1], IMAGE))
    (image,) = Bag(tmp_path / 'bag', []).images(skips)
    np.testing.assert_array_equal(image.frame.pixels, make_image(0))
    (tmp_path / 'bag' / 'metadata.yaml').unlink()
    assert read_all([tmp_path / 'bag'], skips) == []
    assert 'a message compressed with zstd' in skips[0][1]


def test_one_damaged_recording_in_a_folder_leaves_the_others(tmp_path, skips):
    for number in (2, 10):
        folder = write_bag(tmp_path / f'{number}', 'mcap', [('/a/image', raw(number))])
        (folder / f'{number}.mcap').rename(tmp_path / f'bag_{number}.mcap')
        shutil.rmtree(folder)
    (tmp_path / 'bag_3.mcap').write_bytes(b'')
    images = read_all([tmp_path], skips)
    assert [image.frame.stamp_ns // SECOND for image in images] == [1002, 1010]
    assert [name for name, _ in skips] == [str(tmp_path / 'bag_3.mcap')]
