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

"""A TensorRT that is none: see `building` and `running` for what it can be made to do."""

import os

from . import building, running

for part in (building, running):
    globals().update({name: item for name, item in vars(part).items() if name[0] != '_'})

__version__ = os.environ.get('FAKE_TENSORRT_VERSION', '10.3.0')
if building.OLD:
    for name in ('IProgressMonitor', 'ExecutionContextAllocationStrategy'):
        del globals()[name]
