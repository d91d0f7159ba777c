"""Everything in a project as documents: plan, apply, export."""
