"""The WSGI entry: `gunicorn -c config/gunicorn.conf.py wsgi:app`."""

from server.app import create_app
from server.base.settings_reader import load_settings

app = create_app(load_settings())
