"""WeChat's API as emulated, one file for each family."""
