"""The EDM: how a catalog looks as OData types, and how rows look on the wire."""
