"""The tables every Dataverse environment has: declarations, first rows and the rules that come with them."""
