"""`python -m genoferry`."""

from genoferry.cli.app import main

main()
