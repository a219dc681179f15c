"""Helpers of all tests: a clock, a recorder of WeChat calls, databases, factories."""
