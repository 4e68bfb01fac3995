"""Where the package's launch and configuration files lie."""

from pathlib import Path
import sys

from seg_ros.core.errors import SegError


def share_file(name: str) -> Path:
    """
    Find a file that ships beside the code, such as `config/fastdds.xml`.

    Looked for in the source tree of an editable installation, then under every prefix that an
    installed package may have its `share/seg_ros` in.

    :raises SegError: if it is nowhere.
    """
    package = Path(__file__).resolve().parent
    folders = [package.parent, Path(sys.prefix) / 'share' / 'seg_ros']
    folders += [parent / 'share' / 'seg_ros' for parent in package.parents]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise SegError(f'{name} is not installed', f'it in {folders[1]}', 'install seg_ros again')
