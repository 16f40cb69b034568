"""What `--help` says about each command of `talentverse`.

A line with nothing but a backspace keeps click from filling the lines of the paragraph that follows.
"""

from __future__ import annotations

from typing import Final

MAIN: Final = """\
A local, faithful simulator of Microsoft Dataverse and Dynamics 365 Human Resources.

\b
Example:
  talentverse serve
  eval "$(talentverse env)"          in another shell
  talentverse setup talent-hub
"""

SERVE: Final = """\
Run the server until SIGTERM or Ctrl-C.

When it answers it prints one line, "Talentverse is ready at https://localhost:PORT", and has written
DIR/environment.json, which tells clients how to reach it. Everything else goes to standard error.

\b
Exit status:
  0  it was told to stop, and finished the requests in flight
  1  it could not start: the data directory or the port is in use, the database cannot be used, or the data is of a
     newer release
  2  the command line is wrong

\b
Examples:
  talentverse serve
  talentverse serve --port 0 --in-memory --sample-data none
  talentverse serve --data /srv/talentverse --workers 2 --durability full
  talentverse serve --database-url postgresql://talentverse@localhost/talentverse
"""

ENV: Final = """\
Print what clients of the running server need.

\b
Examples:
  eval "$(talentverse env)"
  talentverse env --format json | jq -r .admin.client_secret
"""

BEARER: Final = """\
Print an access token, by default the administrator's.

\b
Example:
  curl --cacert .talentverse/certificates/ca-bundle.pem \\
      -H "Authorization: Bearer $(talentverse token)" https://localhost:8443/api/data/v9.2/WhoAmI
"""

APP_REGISTRATION: Final = """\
Create, list and delete app registrations of the local tenant.

\b
Example:
  talentverse app-registration create --name "My integration" --json
"""

CREATE: Final = """\
Register an application; its secret is printed this once. With --certificate it has none.

\b
Example:
  talentverse app-registration create --name "My integration" --json
  talentverse app-registration create --name "My integration" --certificate client.pem --json
"""

LIST: Final = """\
List the app registrations.

\b
Example:
  talentverse app-registration list
"""

DELETE: Final = """\
Delete an app registration: it gets no more tokens.

\b
Example:
  talentverse app-registration delete 11111111-2222-3333-4444-555555555555
"""

SETUP: Final = """\
Set up an integration as its administrator would.

\b
Example:
  talentverse setup talent-hub
"""

TALENT_HUB: Final = """\
Set up Human Resources for LinkedIn Talent Hub.

Does over public APIs what the page "Integrate with LinkedIn Talent Hub" tells an administrator to do, and can be
repeated: what is there stays as it is. One line per piece says what became of it.

\b
Examples:
  talentverse setup talent-hub
  talentverse setup talent-hub --check
  talentverse setup talent-hub --undo table
"""

RESET: Final = """\
Put the running server's data back to the state of its first start.

\b
Example:
  talentverse reset
"""

EXPLAIN: Final = """\
Show one request to the Web API stage by stage.

Prints its tree, the message it is bound to, what that is narrowed to for the caller and why, SQL with parameters,
and SQLite's query plan. Reads are executed; of a request that would change something only what comes before is shown.

\b
Examples:
  talentverse explain 'GET /api/data/v9.2/contacts?$filter=contains(fullname,'"'"'an'"'"')&$top=3'
  talentverse explain 'GET /api/data/v9.2/accounts' --as ada@contoso.onmicrosoft.com --json
"""

IMPORT: Final = """\
Bring schema or data into the running server's environment.

\b
Example:
  talentverse import schema solution.zip
  talentverse import data accounts.csv --table account
"""

IMPORT_DATA: Final = """\
Bring rows into the environment, over the Web API.

FILE is JSON Lines (.jsonl, one object per line, as the Web API takes it, its table in '@odata.type'), JSON (.json, an
array of them), CSV (.csv, with a header), or the data.zip of a configuration migration. A name in it is a column's
logical name, schema name or label; --map says otherwise. A lookup is an id, a URL such as /accounts(ID), or a text
that one record has in a key or as its name. Rows that have an id, or a key with --key, change the record that is
there. Rows that the server refuses are listed with the reason in FILE.refused.jsonl, which can be imported once they
are put right; the exit status is 1 then. An import that was killed goes on with --resume.

\b
Examples:
  talentverse import data accounts.jsonl
  talentverse import data accounts.csv --table account --map "Company=name" --map "Remarks="
  talentverse import data people.csv --table contact --map "Employer=parentcustomerid.account.accountnumber"
  talentverse import data big.csv --table account --key accountnumber --resume
"""

EXPORT: Final = """\
Bring schema or data out of the running server's environment.

\b
Example:
  talentverse export schema definitions.json
  talentverse export data accounts.jsonl --table account
"""

EXPORT_DATA: Final = """\
Write rows of the environment to a file, over the Web API.

The name of FILE says the format: JSON Lines (.jsonl), CSV of one table (.csv), or the data.zip of a configuration
migration (.zip). An import takes all of them. Of a table come the columns that a caller may set; --select names others.

\b
Examples:
  talentverse export data everything.jsonl --table account --table contact
  talentverse export data names.csv --table contact --select fullname,emailaddress1
  talentverse export data open.csv --query 'opportunities?$filter=statecode eq 0'
"""

IMPORT_SCHEMA: Final = """\
Bring tables, columns, relationships and choices into the environment, in one transaction.

FILE is what a real environment says of itself: its $metadata (XML), its definitions (JSON, as EntityDefinitions with
$expand answers, or as 'talentverse export schema' writes it), or an exported solution (ZIP). What the file is follows
from its content. $metadata knows no lengths, options and labels, so it only adds what is not there; the report says
what was guessed, and definitions or a solution that are imported over it supply that. The exit status is 1 when a
definition was refused; the others are imported.

\b
Examples:
  talentverse import schema metadata.xml --dry-run
  talentverse import schema definitions.json
  talentverse import schema solution.zip --json
"""

EXPORT_SCHEMA: Final = """\
Write the schema of the environment to a file, over the Web API.

The name of FILE says the format: definitions with their options (.json), the metadata document (.xml), or a solution
(.zip) of custom tables. An import takes all of them.

\b
Examples:
  talentverse export schema definitions.json
  talentverse export schema metadata.xml
  talentverse export schema solution.zip --solution Contoso
"""
