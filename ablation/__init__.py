"""Tables of the papers, run row by row: each row is some flags of ``train.py``, trained with several seeds."""
