"""Pure decisions of the api: nothing here does input or output."""
