"""What measures, keeps and tells."""
