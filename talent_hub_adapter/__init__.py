"""The Talent Hub adapter: a client that writes hired candidates into Human Resources through Dataverse's Web API."""
