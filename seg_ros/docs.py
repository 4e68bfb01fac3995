"""The README's tables, made from the code that they describe."""

from dataclasses import fields
from pathlib import Path

from seg_ros.core.settings import Settings

README = Path(__file__).resolve().parent.parent / 'README.md'
BEGIN, END = '<!-- parameters: made by `make docs` -->', '<!-- end of parameters -->'
WHEN = {'live': 'at once', 'configure': 'when configured', 'unconfigured': 'while unconfigured'}


def parameter_table() -> str:
    """Return all parameters as a Markdown table."""
    rows = ['| parameter | default | values | changes | meaning |', '| --- ' * 5 + '|']
    for item in fields(Settings):
        facts = item.metadata
        values = ', '.join(f'`{choice}`' for choice in facts['choices'])
        if facts['low'] is not None:
            values = f'{facts["low"]:g} to {facts["high"]:g} {facts["unit"]}'.strip()
        default = list(item.default) if isinstance(item.default, tuple) else item.default
        shown = f'`{str(default).lower() if isinstance(default, bool) else default}`'
        rows.append(
            f'| `{item.name}` | {shown if default != "" else "empty"} | {values} '
            f'| {WHEN[facts["when"]]} | {facts["meaning"]} |'
        )
    return '\n'.join(rows)


def with_tables(text: str) -> str:
    """Return the README's text with its tables made anew."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f'{head}{BEGIN}\n{parameter_table()}\n{END}{tail}'


if __name__ == '__main__':
    README.write_text(with_tables(README.read_text(encoding='utf-8')), encoding='utf-8')
