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

"""The physics world: what it leaves behind."""

from contextlib import closing

import numpy as np
import pytest

pytest.importorskip('pybullet', reason='PyBullet is not installed, the extra [sim]')

from seg_ros.sim.world import World


def test_textures_leave_no_files_even_if_the_process_is_killed_later(tmp_path, monkeypatch):
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    with closing(World()) as world:
        numbers = {world.texture(np.full((8, 8, 3), shade, np.uint8)) for shade in (0, 200)}
        assert len(numbers) == 2
        assert list(tmp_path.iterdir()) == []
