"""The words of the project: what stands in the files that people write and in the status that is written back."""
