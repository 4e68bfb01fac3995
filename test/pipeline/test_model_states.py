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

import pytest
from seg_ros.core.settings import Settings
from seg_ros.pipeline.model_states import (
    Empty,
    Failed,
    Loading,
    model_state,
    ModelState,
    Serving,
)

ERROR = ValueError('as planted')


@pytest.mark.parametrize(('state', 'described', 'requested', 'loads_another'), [
    (Empty(), ModelState(), '', False),
    (Loading(Settings(model='/new')), ModelState('loading', '/old', '/new'), '/new', True),
    (Loading(Settings(model='/old')), ModelState('loading', '/old', '/old'), '/old', False),
    (Serving(), ModelState('serving', '/old'), '/old', False),
    (Failed('/new', ERROR), ModelState('failed', '/old', '', '/new', ERROR), '/new', False),
])
def test_what_serves_and_what_was_requested_last_is_known_in_each_state(
    state, described, requested, loads_another
):
    found = model_state(state, '/old')
    assert found == described
    assert (found.requested, found.loads_another) == (requested, loads_another)
    assert ('as planted' in found.reason) == bool(found.failed)
    assert found.failed or not found.reason
