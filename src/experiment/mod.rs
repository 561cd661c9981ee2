//! Many simulations and what follows from them.
