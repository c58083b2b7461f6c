//! In order within a conversation, side by side across conversations.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tasks::Tasks;
use tokio::sync::Notify;

use crate::clock::Clock;

/// One task per key that has work; none for a key that has not.
///
/// The work itself lies in the store: a lane is woken and drains what is there.
/// A wake that comes while a lane drains makes it look once more, so nothing
/// is overlooked and no key ever has two tasks. A lane whose work is for later
/// looks again then, or when it is woken. Clones share the lanes.
pub(crate) struct Lanes<K> {
    shared: Arc<Shared<K>>,
}

/// Does all the work that there is for a key. Returns when to look again, in
/// milliseconds since 1970, if some of it is for later.
type Drain<K> = Box<dyn Fn(K) -> BoxFuture<'static, Option<i64>> + Send + Sync>;

struct Shared<K> {
    tasks: Tasks,
    clock: Clock,
    drain: Drain<K>,
    // Held for a map look-up, never across an await.
    running: Mutex<HashMap<K, Woken>>,
}

/// Tells a running lane that it was woken since it last looked.
#[derive(Default)]
struct Woken {
    is_pending: bool,
    bell: Arc<Notify>,
}

impl<K> Clone for Lanes<K> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> Lanes<K> {
    /// Makes lanes without work.
    pub(crate) fn new(
        tasks: Tasks,
        clock: Clock,
        drain: impl Fn(K) -> BoxFuture<'static, Option<i64>> + Send + Sync + 'static,
    ) -> Self {
        let (drain, running) = (Box::new(drain), Mutex::default());
        Self { shared: Arc::new(Shared { tasks, clock, drain, running }) }
    }

    /// Makes sure that the key's work will be looked at from now on.
    pub(crate) fn wake(&self, key: K) {
        let mut running = self.shared.running.lock();
        if let Some(woken) = running.get_mut(&key) {
            woken.is_pending = true;
            woken.bell.notify_one();
            return;
        }
        let woken = Woken::default();
        let bell = Arc::clone(&woken.bell);
        running.insert(key.clone(), woken);
        drop(running);
        let lane = Lane { shared: Arc::clone(&self.shared), key, bell };
        self.shared.tasks.spawn("lane", lane.run());
    }
}

struct Lane<K: Eq + Hash> {
    shared: Arc<Shared<K>>,
    key: K,
    bell: Arc<Notify>,
}

impl<K: Clone + Eq + Hash> Lane<K> {
    async fn run(self) {
        let cancel = self.shared.tasks.cancellation();
        loop {
            let drained = cancel.run_until_cancelled((self.shared.drain)(self.key.clone())).await;
            let Some(later) = drained else { return };
            if self.woken_again(later.is_none()) {
                continue;
            }
            let Some(at_ms) = later else { return };
            let rest = async {
                tokio::select! {
                    () = self.shared.clock.until(at_ms) => {}
                    () = self.bell.notified() => {}
                }
            };
            if cancel.run_until_cancelled(rest).await.is_none() {
                return;
            }
        }
    }

    /// Notes that a pending wake is now seen; closes the lane in the same step
    /// if there was none and it may.
    fn woken_again(&self, may_close: bool) -> bool {
        let mut running = self.shared.running.lock();
        match running.get_mut(&self.key) {
            Some(woken) if woken.is_pending => {
                woken.is_pending = false;
                true
            }
            _ => {
                if may_close {
                    running.remove(&self.key);
                }
                false
            }
        }
    }
}

impl<K: Eq + Hash> Drop for Lane<K> {
    /// A lane that ends by a panic must not stay registered.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.running.lock().remove(&self.key);
        }
    }
}
