//! A request that waits until the test lets it go on.

use tokio::sync::watch;

/// The request's side of a hold.
#[derive(Clone, Debug)]
pub struct Hold {
    after: bool,
    arrived: watch::Sender<u32>,
    released: watch::Sender<bool>,
}

/// The test's side of a hold. Dropping the last gate releases the request.
#[derive(Debug)]
pub struct Gate {
    arrived: watch::Receiver<u32>,
    released: watch::Sender<bool>,
}

impl Hold {
    pub(super) fn new(after: bool) -> (Self, Gate) {
        let arrived = watch::Sender::new(0);
        let released = watch::Sender::new(false);
        let gate = Gate { arrived: arrived.subscribe(), released: released.clone() };
        (Self { after, arrived, released }, gate)
    }

    /// Says whether the request waits after its effect.
    pub(crate) fn is_after(&self) -> bool {
        self.after
    }

    /// Tells the test that the request is here, and waits for it.
    pub(crate) async fn pass(&self) {
        self.arrived.send_modify(|n| *n += 1);
        let mut released = self.released.subscribe();
        // An error means that nobody is left to release it.
        drop(released.wait_for(|released| *released).await);
    }
}

impl Gate {
    /// Waits until a request has arrived.
    ///
    /// # Panics
    ///
    /// When none has after 10 seconds of real time.
    pub async fn arrived(&mut self) {
        let arrival = self.arrived.wait_for(|n| *n > 0);
        let waited = tokio::time::timeout(crate::face::PATIENCE, arrival).await;
        assert!(
            waited.is_ok(),
            "no request arrived at the hold within {:?}",
            crate::face::PATIENCE
        );
    }

    /// Lets the request go on, and every later one that meets the same hold.
    pub fn release(&self) {
        self.released.send_replace(true);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.release();
    }
}
