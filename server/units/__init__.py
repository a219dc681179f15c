"""Places and organisations: the 14 cities, their counties, and the units of the campaign."""
