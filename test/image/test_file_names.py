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

"""Images in a folder by their names."""

from seg_ros.image.file_names import images_by_stem, LABEL_SUFFIXES


def test_images_are_known_in_capitals_too_and_hidden_files_are_none(tmp_path):
    for name in ('b.JPG', 'a.png', 'a.jpg', '.c.png', 'd.txt'):
        (tmp_path / name).touch()
    assert images_by_stem(tmp_path) == {
        'a': [tmp_path / 'a.jpg', tmp_path / 'a.png'], 'b': [tmp_path / 'b.JPG'],
    }
    assert images_by_stem(tmp_path, LABEL_SUFFIXES) == {'a': [tmp_path / 'a.png']}
    assert images_by_stem(tmp_path / 'nowhere') == {}
