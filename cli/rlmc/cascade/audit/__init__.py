"""Was a draft that was served as good as what the verify model would have said? What is asked, and how it is read."""
