"""What runs a component: one port, and a folder for each executor behind it."""
