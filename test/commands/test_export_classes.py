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

"""`--classes` of export and train: a number, a file of names, or a card."""

import pytest
from seg_ros.commands.export import read_classes


@pytest.mark.parametrize(('name', 'text'), [
    ('names.txt', '\ufeffroad\r\n\r\ncar\r\n'), ('card.YAML', '- road\n- car\n'),
    ('card.txt', 'name: street\nclasses: [road, car]\n'),
])
def test_names_and_cards_are_recognised_whatever_wrote_the_file(name, text, tmp_path):
    (tmp_path / name).write_bytes(text.encode())
    assert [row['name'] for row in read_classes(str(tmp_path / name))] == ['road', 'car']
