"""`python -m dsar` is `dsar`."""

from dsar.cli import main

main()
