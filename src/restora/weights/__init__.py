"""The weight store: the manifest, the cache, reading and recognising of checkpoints, and the files that ship."""
