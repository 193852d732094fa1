"""Figures and pages; draws what others have computed."""
