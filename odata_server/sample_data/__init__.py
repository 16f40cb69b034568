"""Sample data that a new Dataverse environment may start with."""
