//! One JSON5 file that people and programs edit.
