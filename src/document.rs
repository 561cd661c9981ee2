//! A TOML document read field by field, so that every problem is found at once.
