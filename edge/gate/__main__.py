"""The forced command of the user fleetbot: `python3 -I -S /usr/libexec/fleetbot/gate`."""

import os
import sys

# Isolated mode leaves the folder out where this file is run by its own name.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from serve import main  # noqa: E402  (needs the path above)

main()
