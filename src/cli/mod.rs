//! Arguments, progress, colours and exit codes.
