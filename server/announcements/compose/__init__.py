"""Writing announcements: drafts, their content per channel, rendering, preview, test sends."""
