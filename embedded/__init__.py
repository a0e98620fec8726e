"""`rectify up`: all of it on one machine under one supervisor. Production runs the same processes without this."""
