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

"""The node's linear algebra has one thread, before numpy could open more."""

import os
import subprocess
import sys

import pytest
from seg_ros.threads import VARIABLES

REPORT = """
import os, sys
import seg_ros.ros
assert 'numpy' not in sys.modules
print(*(os.environ[name] for name in sys.argv[1:]))
"""


@pytest.mark.parametrize(('given', 'expected'), [({}, '1'), (dict.fromkeys(VARIABLES, '3'), '3')])
def test_blas_has_one_thread_unless_the_user_says_otherwise(given, expected):
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run(
        [sys.executable, '-c', REPORT, *VARIABLES], env={**environment, **given},
        capture_output=True, text=True, check=True,
    )
    assert done.stdout.split() == [expected] * len(VARIABLES)
