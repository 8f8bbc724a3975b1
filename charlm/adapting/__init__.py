"""A model that adapts to what it reads, from options: what they mean, what was tuned, and how it is."""
