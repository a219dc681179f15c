"""The browser phone's runtime and compiler, held against what WeChat does."""
