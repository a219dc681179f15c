"""The emulated WeChat: a program of its own that speaks WeChat's protocol over real HTTP."""
