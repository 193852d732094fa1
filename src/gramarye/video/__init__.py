"""Films: frames in and out, how they move, and painting one frame after the other without flicker."""
