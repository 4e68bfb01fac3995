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

"""The doctor sees what there is and what is missing."""

import json

from seg_ros.cli import main
from seg_ros.share import share_file


def findings(capsys):
    code = main(['doctor', '--json'])
    rows = json.loads(capsys.readouterr().out)['findings']
    return code, {row['topic']: row for row in rows}


def test_every_finding_that_is_not_fine_says_what_to_do(capsys):
    _, rows = findings(capsys)
    for row in rows.values():
        assert row['seen']
        assert row['level'] in ('ok', 'note', 'missing')
        assert row['level'] == 'ok' or row['do'] or row['topic'] == 'GPU'


def test_a_profile_is_found_missing_named_wrongly_and_right(capsys, monkeypatch, tmp_path):
    name = 'FASTRTPS_DEFAULT_PROFILES_FILE'
    monkeypatch.delenv('RMW_IMPLEMENTATION', raising=False)
    monkeypatch.delenv('FASTDDS_DEFAULT_PROFILES_FILE', raising=False)
    monkeypatch.delenv(name, raising=False)
    assert findings(capsys)[1]['DDS profile']['level'] == 'note'
    monkeypatch.setenv(name, str(tmp_path / 'gone.xml'))
    code, rows = findings(capsys)
    assert (code, rows['DDS profile']['level']) == (1, 'missing')
    monkeypatch.setenv(name, str(share_file('config/fastdds.xml')))
    assert findings(capsys)[1]['DDS profile']['level'] == 'ok'


def test_without_any_runtime_the_doctor_fails(capsys, monkeypatch):
    import sys

    for runtime in ('openvino', 'onnxruntime'):
        monkeypatch.setitem(sys.modules, runtime, None)
    code, rows = findings(capsys)
    assert code == 1
    assert rows['engines']['level'] == 'missing'


def test_people_read_the_same_as_lines(capsys):
    main(['doctor'])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith('ok      seg_ros') for line in lines)
