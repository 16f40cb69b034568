"""The SQL that a query becomes: plans, their clauses and predicates, and the JSON that the database builds."""
