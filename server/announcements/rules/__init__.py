"""Rules of announcements that need no database: field types, placeholders."""
