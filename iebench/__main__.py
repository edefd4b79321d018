"""`python -m iebench` is `iebench`."""

from iebench.cli.main import main

if __name__ == "__main__":
    main()
