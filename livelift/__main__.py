"""`python -m livelift`."""

from livelift.cli import main

if __name__ == "__main__":
    main()
