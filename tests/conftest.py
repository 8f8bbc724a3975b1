"""What holds for all tests."""

import os

# No test finds, or leaves, anything in the cache of whoever runs it; nor do the commands that tests run.
os.environ["CHARLM_CACHE"] = ""
