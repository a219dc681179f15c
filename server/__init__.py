"""Bagui Kepu: the WeChat backend of a province-wide science campaign."""
