"""One module per format. Each has `write(printed, …) -> bytes`; the options are troubles of the format itself."""
