"""What must hold for any bytes, by level: spellings of paths, the loader, documents, whole passes."""
