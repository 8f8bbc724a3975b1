"""Commands that are killed, interrupted and refused at seeded moments, and what they must leave."""
