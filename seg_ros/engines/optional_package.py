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

"""Optional packages, which may be missing or broken."""

from collections.abc import Iterator
from contextlib import contextmanager

from seg_ros.core.errors import EngineError, SegError


@contextmanager
def map_package_errors(package: str) -> Iterator[None]:
    """
    Turn any exception of a broken package into EngineError.

    Its import may raise anything: OSError for a missing library, ValueError or AttributeError with
    an incompatible numpy. A folder left behind by pip imports as an empty module.

    :raises EngineError: for any exception but SegError and KeyboardInterrupt.
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
