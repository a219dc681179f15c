"""WeChat's callbacks: encryption, parsing, replies, deadline."""
