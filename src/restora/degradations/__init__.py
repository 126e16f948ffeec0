"""y from x: what is done to an image, in one vocabulary for recipes, suites and the command line."""
