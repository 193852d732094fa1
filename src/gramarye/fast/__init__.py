"""Paintings in one pass: feed-forward networks that have learned what the optimisation would do."""
