"""Client and callbacks of WeChat; the only package that imports wechatpy."""
