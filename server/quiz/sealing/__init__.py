"""Freezing public boards, and sealing and publishing final ranks as signed versions."""
