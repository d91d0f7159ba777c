"""Built-in components: separate programs that follow the component contract."""
