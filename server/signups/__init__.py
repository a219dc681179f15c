"""Sign-ups: seats, the waitlist, offers, the lottery."""
