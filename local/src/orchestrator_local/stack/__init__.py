"""The whole product on one machine without containers: servers, services and their supervisor."""
