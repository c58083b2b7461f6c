//! What the monitors of one channel share.

use std::path::PathBuf;

use ilink::Http;
use tasks::Tasks;

use crate::lock::machine_locks;
use crate::notes::Notes;
use crate::pace::Pace;
use crate::settings::Settings;
use crate::store::Store;
use crate::wake::Alarm;

/// What the monitors of one channel share: two tasks instead of two per
/// account. Clones share it.
#[derive(Clone)]
pub(crate) struct Pulse {
    pub(crate) pace: Pace,
    pub(crate) notes: Notes,
    pub(crate) alarm: Alarm,
    /// Where the locks of tokens lie.
    pub(crate) locks: Option<PathBuf>,
}

impl Pulse {
    /// Starts the two tasks.
    pub(crate) fn start(tasks: &Tasks, settings: &Settings, http: &Http, store: &Store) -> Self {
        let pulse = Self {
            pace: settings.pace.clone(),
            notes: Notes::default(),
            alarm: Alarm::new(),
            locks: settings.locks.clone().or_else(machine_locks),
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
