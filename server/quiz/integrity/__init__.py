"""Signs of cheating, holds, appeals and decisions."""
