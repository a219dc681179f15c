"""Check-in: attendance at activities, with the gate and the length of each stay."""
