"""Image files in and out: depth, alpha, orientation, colour profile and metadata survive; writes are atomic."""
