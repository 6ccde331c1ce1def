"""What people see: objects in, text out."""
