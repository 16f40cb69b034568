"""The EDM of the Organization Data Service: the same catalog as OData v2 types."""
