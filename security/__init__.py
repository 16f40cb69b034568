"""Who may do what: principals, privileges, authorization and the token authority."""
