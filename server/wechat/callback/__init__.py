"""WeChat's callbacks: envelope, documents, replies, deadline."""
