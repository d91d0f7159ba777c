"""Who is told what of an orchestration."""
