"""Built-in components: programs of their own under the component contract."""
