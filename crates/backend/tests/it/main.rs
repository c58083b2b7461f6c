//! The backend from outside: raw HTTP on one side, phones on the other.

mod bot;
mod basics;
