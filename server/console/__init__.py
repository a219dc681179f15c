"""The frame of the organizers' console: sessions, forms, layout, errors; no slice's pages."""
