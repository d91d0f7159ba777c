"""RabbitMQ for every service: connections, topology, outbox, consumers, dead letters."""
