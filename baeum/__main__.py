"""``python -m baeum`` is the ``baeum`` command."""

from baeum.cli import main

if __name__ == "__main__":
    main()
