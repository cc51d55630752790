"""Commands that make, combine and fetch data sets; the folders with images also live here by habit."""
