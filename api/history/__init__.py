"""Looking back at what was graded: lists, photographs, and how long they are kept."""
