"""Whether what people photograph is still what the grader was measured on."""
