"""One run, from settings to result: prepare, build, train, finish."""
