//! What the monitors of one channel share.

use ilink::Http;
use tasks::Tasks;

use crate::lock::TokenLocks;
use crate::notes::Notes;
use crate::pace::Pace;
use crate::settings::Settings;
use crate::store::Store;
use crate::wake::Alarm;

/// What the monitors of one channel share: three tasks instead of three
/// per account. Clones share it.
#[derive(Clone)]
pub(crate) struct Pulse {
    pub(crate) pace: Pace,
    pub(crate) notes: Notes,
    pub(crate) alarm: Alarm,
    /// None where there is no place for locks.
    pub(crate) locks: Option<TokenLocks>,
}

impl Pulse {
    /// Starts the tasks.
    pub(crate) fn start(tasks: &Tasks, settings: &Settings, http: &Http, store: &Store) -> Self {
        let pulse = Self {
            pace: settings.pace.clone(),
            notes: Notes::default(),
            alarm: Alarm::new(),
            locks: settings
                .token_locks()
                .map(|locks| TokenLocks::start(tasks, locks, settings.dir.clone())),
        };
        let cancel = tasks.cancellation();
        let alarm = pulse.alarm.clone().watch(pulse.pace.clone(), http.clone());
        tasks.spawn("alarm", async move {
            cancel.run_until_cancelled(alarm).await;
        });
        let cancel = tasks.cancellation();
        let notes = pulse.notes.clone().write(store.clone());
        tasks.spawn("notes", async move {
            cancel.run_until_cancelled(notes).await;
        });
        pulse
    }
}
