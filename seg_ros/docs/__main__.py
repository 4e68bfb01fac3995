"""Make anew what the pages show of the code: `python -m seg_ros.docs`."""

from seg_ros.docs import ROOT
from seg_ros.docs.layers import arrows_from_source, svg
from seg_ros.docs.parameters import MOST_USED, with_table


def main() -> None:
    """Write the parameter tables and the drawing of the layers."""
    for page, names in (('README.md', MOST_USED), ('docs/parameters.md', None)):
        path = ROOT / page
        text = path.read_text(encoding='utf-8')
        made = with_table(text) if names is None else with_table(text, names)
        path.write_text(made, encoding='utf-8')
    drawing = svg(arrows_from_source(ROOT / 'seg_ros'))
    (ROOT / 'docs' / 'images' / 'layers.svg').write_text(drawing, encoding='utf-8')


if __name__ == '__main__':
    main()
