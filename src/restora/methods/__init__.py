"""The methods, a file each, in the chapters of the field."""
