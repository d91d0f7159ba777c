"""What becomes of runs and jobs: pure rules, time is an argument."""
