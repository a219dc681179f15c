"""What the gateway to WeChat offers: the sentences of its refusals."""

from __future__ import annotations

from pathlib import Path

from server.base.manifest import Slice

SLICE = Slice(name="wechat", texts=Path(__file__).parent)
