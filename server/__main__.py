"""`python -m server COMMAND`."""

import gc
from importlib import import_module

# With Python's default thresholds the garbage collector traverses all objects dozens of times while
# the modules are imported, which takes a sixth of the start-up time; almost none is garbage.
gc.set_threshold(50_000, 20, 20)

# Imported after the thresholds are set, so the import is not at the top of the file.
raise SystemExit(import_module("server.cli.main").main())
