"""From the trees and bodies of OData v2 to those of the Web API, and so to the same messages."""
