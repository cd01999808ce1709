"""All English about a study: pure functions from records to sentences."""
