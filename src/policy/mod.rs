//! WHO goes next, WHERE, and WHO yields.
