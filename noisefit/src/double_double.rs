//! Arithmetic with twice the digits of a double.
