"""What the client programs share beneath them: finding the server, tokens, the Web API session and retries."""
