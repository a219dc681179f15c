"""Review and approval of announcements, bound to the content, the audience and its count."""
