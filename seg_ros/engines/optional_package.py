"""Packages that need not be there, and may be there in pieces."""

from collections.abc import Iterator
from contextlib import contextmanager

from seg_ros.core.errors import EngineError, SegError


@contextmanager
def whole(package: str) -> Iterator[None]:
    """
    Turn what a broken package raises, as it is imported or as a part is missing, into one error.

    What an import raises is up to the package: a missing library is an OSError, another numpy a
    ValueError or an AttributeError, a folder that pip left behind is a module without contents.

    :raises EngineError: for all but our own errors.
    """
    try:
        yield
    except (SegError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise EngineError(
            f'{package} is installed but does not work ({type(error).__name__}: {error})',
            do=f'install it again: pip install --force-reinstall {package}',
        ) from error
