"""Parts of the documentation that are made from the code that they describe."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
