"""``python -m traider`` is the command ``traider``."""

from traider.cli.main import main

if __name__ == "__main__":
    main()
