//! A value that can be replaced while it is in use.

use std::sync::Arc;

use parking_lot::RwLock;

/// Holds a value for many readers. Clones share it.
#[derive(Debug)]
pub(crate) struct Switch<T> {
    // Held to copy or replace a pointer, never across an await.
    inner: Arc<RwLock<Arc<T>>>,
}

impl<T> Clone for Switch<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<T> Switch<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { inner: Arc::new(RwLock::new(Arc::new(value))) }
    }

    /// Returns the value as it is now.
    pub(crate) fn now(&self) -> Arc<T> {
        Arc::clone(&self.inner.read())
    }

    /// Replaces the value; who holds the earlier one goes on with it.
    pub(crate) fn set(&self, value: T) {
        *self.inner.write() = Arc::new(value);
    }
}
