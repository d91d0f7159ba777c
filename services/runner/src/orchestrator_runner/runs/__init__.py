"""Rules of what happens to runs and jobs: pure code, with time as an argument."""
