"""The question bank: import files, questions, drawing of papers."""
