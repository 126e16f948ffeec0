"""Super-resolution: more pixels than were measured."""
