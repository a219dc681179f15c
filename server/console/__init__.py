"""The frame of the organizers' console: sessions, forms, layout and refusals; no slice's pages."""
