//! File to validated plan; the only place that knows every name.
