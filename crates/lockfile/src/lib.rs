//! A lock of the operating system that says who holds it.
