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

"""A process that requests a plan, as a node does: python plan_process.py MODEL CACHE."""

from pathlib import Path
import sys

from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.settings import Settings
from seg_ros.engines.cuda.gpu import Gpu
from seg_ros.engines.tensorrt.plan_source import plan_for

ORIN = Gpu(0, 'Orin', '8.7', '540.4.0, CUDA 12.6', True, 15655)

if __name__ == '__main__':
    model, cache = sys.argv[1:]
    settings = Settings(model=model, cache_dir=cache)
    compiled = read_compiled(Path(model))

    def say(*words: object) -> None:
        sys.stdout.write(f'{" ".join(map(str, words))}\n')
        sys.stdout.flush()

    say('plan of', len(plan_for(compiled, settings, ORIN, say)), 'bytes')
