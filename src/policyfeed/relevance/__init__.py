"""article × topics → verdict, with reasons. Pure."""
