"""The emulated WeChat: a separate program that serves WeChat's protocol over HTTP."""
