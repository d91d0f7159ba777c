"""The pages of schedules: the dialog that edits one, its preview, and what became of its fires."""
