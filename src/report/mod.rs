//! Numbers to bytes.
