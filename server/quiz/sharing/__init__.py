"""Result cards, posters and their mini-program codes."""
