"""One thread for linear algebra: more would take the cores from engine and workers."""

import os

VARIABLES = ('OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS')


def bound_blas() -> None:
    """Give numpy's BLAS one thread, unless the environment says otherwise; before its import."""
    for name in VARIABLES:
        os.environ.setdefault(name, '1')
