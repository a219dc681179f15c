"""Everything that speaks to or hears from WeChat; the only place where wechatpy is imported."""
