"""The four studies of the lab, their jobs over the cores, and what each concludes."""
