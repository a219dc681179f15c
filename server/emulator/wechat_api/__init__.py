"""WeChat's emulated API, one file per family."""
