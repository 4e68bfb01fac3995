"""What the tests of commands share."""

import pytest


class Skips(list):
    """Keeps what was left out, as name and reason."""

    def __call__(self, name, error):
        self.append((name, str(error)))


@pytest.fixture
def skips():
    return Skips()
