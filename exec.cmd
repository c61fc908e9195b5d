@rem The npm scripts say `exec node …`, so that signals sent to npm reach the program and not a shell. This is it for Windows.
@%*
