"""Other servers for comparison, each built as its documentation recommends."""
