"""What the Orchestrator's services share: contracts, messaging, database, runtime."""
