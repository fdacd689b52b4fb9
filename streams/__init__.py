"""The stream: the Faust application, tasks and their transactions, settings and the command line."""
