"""What random input needs to be tried."""

import pytest

pytest.importorskip('hypothesis', reason='hypothesis is not installed')
