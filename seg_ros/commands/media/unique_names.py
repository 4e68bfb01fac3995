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

"""Unique names."""


class UniqueNames:
    """Numbers repeated names: `name`, `name_2`; case is ignored, as on some file systems."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def claim(self, wanted: str) -> str:
        """Return `wanted`, or the first of its numbered forms that is not taken."""
        name, count = wanted, 1
        while name.casefold() in self._taken:
            count += 1
            name = f'{wanted}_{count}'
        self._taken.add(name.casefold())
        return name
