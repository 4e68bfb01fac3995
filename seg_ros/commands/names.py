"""Names that occur once, however often they are asked for."""


class UniqueNames:
    """Hands out `name`, then `name_2`, `name_3`; case does not distinguish names on every disk."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def claim(self, wanted: str) -> str:
        """Return `wanted`, or the first of its numbered forms that nobody has claimed."""
        name, count = wanted, 1
        while name.casefold() in self._taken:
            count += 1
            name = f'{wanted}_{count}'
        self._taken.add(name.casefold())
        return name
