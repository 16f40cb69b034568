"""The URL language: hand-written recursive descent from OData 4.01 URL text to trees with spans."""
