"""gunicorn settings: a few processes, each with an event loop and threads; JSON logs."""

import gc
import logging
import resource
import sys

from gunicorn.glogging import Logger

from server.base.log import set_up_logging
from server.base.settings import SettingsError
from server.base.settings_reader import load_settings
from server.base.web.connection import Bounds
from server.base.web.gunicorn_worker import RUNNING, BufferedWorker

try:
    _settings = load_settings()
except SettingsError as refusal:
    # An exception here would make gunicorn print a traceback.
    sys.exit(str(refusal))

# Set before the workers import the application; server/__main__.py says why.
gc.set_threshold(50_000, 20, 20)

bind = f"127.0.0.1:{_settings.port}"
workers = 2
threads = RUNNING
worker_class = BufferedWorker
# Connections per process, idle ones included: each needs one file handle, an upload two.
_, _handles = resource.getrlimit(resource.RLIMIT_NOFILE)
_handles = 16384 if _handles == resource.RLIM_INFINITY else min(_handles, 16384)
resource.setrlimit(
    resource.RLIMIT_NOFILE, (_handles, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
)
worker_connections = min(4096, _handles // 3)
BufferedWorker.bounds = Bounds(
    # Behind proxies every connection comes from a proxy's own address.
    per_address=None if _settings.trusted_proxies else max(1, worker_connections // 4),
    drain_seconds=_settings.drain_seconds,
)
keepalive = 5
timeout = 60
# After SIGTERM: readiness is off for drain_seconds, then running requests have 30 seconds.
graceful_timeout = int(_settings.drain_seconds) + 31
limit_request_line = 8190
max_requests = 0
# The default path of the socket is one file per user, which two instances would share.
control_socket_disable = True


class JsonLogger(Logger):
    """Writes gunicorn's own log lines in our JSON format."""

    def setup(self, _cfg: object) -> None:
        set_up_logging(_settings.var, "server", _settings.log_level, _settings.log_console)
        self.error_log = logging.getLogger("gunicorn.error")
        self.error_log.handlers = []
        self.error_log.propagate = True

    def access(self, *_args: object) -> None:
        """Do nothing: the application writes its own line per response."""


logger_class = JsonLogger
