"""`python -m service.cli`: the `gradserve` command without an installed script."""

from service.cli import main

main()
