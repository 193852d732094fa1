"""The studio: `gramarye serve` opens a page on which a transfer is steered, taken apart and understood.

One process, one page, one worker thread. Importing any module here imports no torch: the page is up first.
"""
