"""`python -m server COMMAND`."""

import gc
from importlib import import_module

# With Python's own figures the garbage collector goes through all objects of the program dozens of
# times while its modules are imported, a sixth of every start; almost none of them is garbage.
gc.set_threshold(50_000, 20, 20)

# Imported after that, hence not by a statement at the top.
raise SystemExit(import_module("server.cli.main").main())
