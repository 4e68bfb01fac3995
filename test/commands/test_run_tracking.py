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

"""Ids of a video or recording last from frame to frame where `--tracking` asks for it."""

import cv2
import numpy as np
import pytest
from seg_ros.cli import main


@pytest.fixture
def video(tmp_path):
    path = tmp_path / 'table.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (160, 120))
    if not writer.isOpened():
        pytest.skip('this OpenCV writes no videos')
    for step in range(6):
        image = np.full((120, 160, 3), 30, np.uint8)
        cv2.circle(image, (30 + 6 * step, 30), 10, (220, 220, 220), -1)
        if step > 2:
            cv2.circle(image, (110, 80), 22, (220, 220, 220), -1)
        writer.write(image)
    writer.release()
    return path


def ids_of_the_first(videos, folder, *options):
    """Return the id of the disc that moves, for all frames of all videos."""
    assert main([
        'run', *map(str, videos), '--engine', 'classical', '--model', 'otsu',
        '--out', str(folder), *options,
    ]) == 0
    files = sorted((folder / 'instance').glob('*.png'))
    masks = [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in files]
    return [int(mask[30, 30 + 6 * (number % 6)]) for number, mask in enumerate(masks)]


def test_ids_last_in_a_video_only_where_it_is_asked_for(video, tmp_path):
    assert ids_of_the_first([video], tmp_path / 'single') == [1, 1, 1, 2, 2, 2]
    assert ids_of_the_first([video], tmp_path / 'tracked', '--tracking') == [1] * 6


def test_each_video_begins_with_ids_of_its_own(video, tmp_path):
    again = tmp_path / 'again.avi'
    again.write_bytes(video.read_bytes())
    assert ids_of_the_first([video, again], tmp_path / 'out', '--tracking') == [1] * 12


def test_ids_last_in_a_recording_whose_images_have_no_stamps(tmp_path):
    rosbag2 = pytest.importorskip('rosbags.rosbag2', reason='rosbags is not installed')
    from rosbags.typesys import get_typestore, Stores

    types, kind = get_typestore(Stores.ROS2_JAZZY), 'sensor_msgs/msg/Image'
    stamp = types.types['builtin_interfaces/msg/Time'](0, 0)
    header = types.types['std_msgs/msg/Header'](stamp, 'optical')
    with rosbag2.Writer(tmp_path / 'bag', version=8) as writer:
        topic = writer.add_connection('/image_raw', kind, typestore=types)
        for step in range(6):
            pixels = np.full((120, 160), 30, np.uint8)
            cv2.circle(pixels, (30 + 6 * step, 30), 10, 220, -1)
            if step > 2:
                cv2.circle(pixels, (110, 80), 22, 220, -1)
            image = types.types[kind](header, 120, 160, 'mono8', 0, 160, pixels.reshape(-1))
            writer.write(topic, 10**18 + step * 10**8, types.serialize_cdr(image, kind))
    assert ids_of_the_first([tmp_path / 'bag'], tmp_path / 'out', '--tracking') == [1] * 6
    with rosbag2.Reader(tmp_path / 'out' / 'bag') as reader:
        written = [
            types.deserialize_cdr(data, kind).header.stamp for _, _, data in reader.messages()
        ]
    assert all(each == stamp for each in written)
