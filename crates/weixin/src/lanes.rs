//! In order within a conversation, side by side across conversations.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use crate::tasks::Tasks;

/// One task per key that has work; none for a key that has not.
///
/// The work itself lies in the store: a lane is woken and drains what is there.
/// A wake that comes while a lane drains makes it look once more, so nothing
/// is overlooked and no key ever has two tasks. Clones share the lanes.
pub(crate) struct Lanes<K> {
    shared: Arc<Shared<K>>,
}

struct Shared<K> {
    tasks: Tasks,
    drain: Box<dyn Fn(K) -> BoxFuture<'static, ()> + Send + Sync>,
    // Held for a map look-up, never across an await.
    running: Mutex<HashMap<K, Wake>>,
}

/// Whether a running lane has been woken since it last looked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wake {
    Seen,
    Pending,
}

impl<K> Clone for Lanes<K> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> Lanes<K> {
    /// `drain` does all the work that there is for a key, then returns.
    pub(crate) fn new(
        tasks: Tasks,
        drain: impl Fn(K) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        let running = Mutex::default();
        Self { shared: Arc::new(Shared { tasks, drain: Box::new(drain), running }) }
    }

    /// Makes sure that the key's work will be looked at from now on.
    pub(crate) fn wake(&self, key: K) {
        let mut running = self.shared.running.lock();
        if let Some(wake) = running.get_mut(&key) {
            *wake = Wake::Pending;
            return;
        }
        running.insert(key.clone(), Wake::Seen);
        drop(running);
        let lane = Lane { shared: Arc::clone(&self.shared), key };
        self.shared.tasks.spawn("lane", lane.run());
    }
}

struct Lane<K: Eq + Hash> {
    shared: Arc<Shared<K>>,
    key: K,
}

impl<K: Clone + Eq + Hash> Lane<K> {
    async fn run(self) {
        let cancel = self.shared.tasks.cancellation();
        loop {
            let drained = cancel.run_until_cancelled((self.shared.drain)(self.key.clone())).await;
            if drained.is_none() || !self.woken_again() {
                return;
            }
        }
    }

    /// Notes that a pending wake is now seen, or closes the lane, in one step.
    fn woken_again(&self) -> bool {
        let mut running = self.shared.running.lock();
        match running.get_mut(&self.key) {
            Some(wake) if *wake == Wake::Pending => {
                *wake = Wake::Seen;
                true
            }
            _ => {
                running.remove(&self.key);
                false
            }
        }
    }
}

impl<K: Eq + Hash> Drop for Lane<K> {
    /// A lane that ends by a panic or a cancellation must not stay registered.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.running.lock().remove(&self.key);
        }
    }
}
