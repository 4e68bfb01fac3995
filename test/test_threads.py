"""The node's linear algebra has one thread, before numpy could open more."""

import os
import subprocess
import sys

import pytest
from seg_ros.threads import VARIABLES

TOLD = """
import os, sys
import seg_ros.ros
assert 'numpy' not in sys.modules
print(*(os.environ[name] for name in sys.argv[1:]))
"""


@pytest.mark.parametrize(('given', 'expected'), [({}, '1'), (dict.fromkeys(VARIABLES, '3'), '3')])
def test_blas_has_one_thread_unless_the_user_says_otherwise(given, expected):
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run(
        [sys.executable, '-c', TOLD, *VARIABLES], env={**environment, **given},
        capture_output=True, text=True, check=True,
    )
    assert done.stdout.split() == [expected] * len(VARIABLES)
