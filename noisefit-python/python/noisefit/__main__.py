"""The command `noisefit`, run in this process."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command with the words of the command line."""
    from noisefit._noisefit import main as run

    sys.exit(run(["noisefit", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
