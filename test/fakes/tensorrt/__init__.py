"""A TensorRT that is none: see `building` and `running` for what it can be made to do."""

import os

from . import building, running

for part in (building, running):
    globals().update({name: item for name, item in vars(part).items() if name[0] != '_'})

__version__ = os.environ.get('FAKE_TENSORRT_VERSION', '10.3.0')
if building.OLD:
    for name in ('IProgressMonitor', 'ExecutionContextAllocationStrategy'):
        del globals()[name]
