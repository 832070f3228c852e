//! Numbers from NumPy and back.

use std::sync::Arc;

use arrow_buffer::Buffer;
use arrow_buffer::alloc::Allocation;
use numpy::{Element, PyArray1, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// An array that numbers belong to, for as long as Arrow reads them.
struct Owner(#[allow(dead_code, reason = "it is held for its numbers")] Py<PyAny>);

impl std::panic::RefUnwindSafe for Owner {}

/// The numbers of a contiguous array as a buffer of Arrow's, without a copy.
///
/// Whoever writes into the array while a fit reads it gets what NumPy's own functions would give: a mixture of both.
pub(crate) fn buffer<T: Element>(array: &Bound<'_, PyArray1<T>>) -> Buffer {
    let (length, data) = (PyUntypedArrayMethods::len(array) * size_of::<T>(), array.data().cast::<u8>());
    let Some(data) = std::ptr::NonNull::new(data).filter(|_| length > 0) else { return Buffer::from(&[] as &[u8]) };
    let owner: Arc<dyn Allocation> = Arc::new(Owner(array.clone().into_any().unbind()));
    // SAFETY: the array is contiguous and aligned, as `_table.py` makes it, has `length` bytes, and is kept by its owner.
    unsafe { Buffer::from_custom_allocation(data, length, owner) }
}

/// An array of doubles.
pub(crate) type Numbers<'py> = Bound<'py, PyArray1<f64>>;

/// Numbers as an array.
pub(crate) fn array<'py>(py: Python<'py>, numbers: Vec<f64>) -> Numbers<'py> {
    PyArray1::from_vec(py, numbers)
}
