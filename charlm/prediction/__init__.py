"""Predictors read a text token by token and give the distribution of the next one, adapting to what they have read."""
