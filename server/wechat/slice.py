"""Manifest of the gateway to WeChat: the texts of its errors."""

from __future__ import annotations

from pathlib import Path

from server.base.manifest import Slice

SLICE = Slice(name="wechat", texts=Path(__file__).parent)
