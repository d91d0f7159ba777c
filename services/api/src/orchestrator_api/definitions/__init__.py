"""A whole project as documents: plan, apply, export."""
