"""Commands that make, combine and fetch data sets; the folders with pictures also live here by habit."""
