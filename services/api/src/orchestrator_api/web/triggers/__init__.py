"""The pages of triggers: the dialog that edits one, how ready it is, and what became of its updates."""
