"""The whole product on one machine: embedded servers, their supervisor, and the demo."""
