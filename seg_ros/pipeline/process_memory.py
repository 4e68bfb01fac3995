"""What the process and the machine under it can say of themselves: memory and temperature."""

import os
from pathlib import Path

ZONES = Path('/sys/class/thermal')
STATUS = Path('/proc/self/statm')


def memory_mib(statm: Path = STATUS) -> float | None:
    """Return the resident memory of this process, or None where there is no /proc."""
    try:
        return int(statm.read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2**20
    except OSError:
        return None


def temperature_c(zones: Path = ZONES) -> float | None:
    """Return the hottest thermal zone in degrees Celsius, or None where none can be read."""
    found = []
    for zone in zones.glob('thermal_zone*/temp'):
        try:
            found.append(int(zone.read_text()) / 1000)
        except (OSError, ValueError):  # a zone that is switched off, as Jetsons have them
            continue
    return max(found, default=None)
