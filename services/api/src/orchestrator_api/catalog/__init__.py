"""Components, configurations and their versions."""
