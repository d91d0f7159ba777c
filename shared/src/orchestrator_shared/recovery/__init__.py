"""What is done after something was lost: the data of RabbitMQ, or the newest part of the database."""
