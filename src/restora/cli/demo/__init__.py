"""The demonstration: cases, the run through them, and the sheet that shows them side by side."""
