//! What a gateway holds.

use std::fs;

use super::process::Gateway;

/// What is counted, at one moment.
#[derive(Clone, Debug)]
pub(super) struct Gauge {
    /// Resident memory in KB; `None` where the system does not tell it.
    rss_kb: Option<u64>,
    /// Open descriptors; `None` where the system does not tell it.
    descriptors: Option<usize>,
    /// Files that wait to leave.
    outbox: Vec<String>,
    /// Files that are not whole.
    partial: Vec<String>,
    /// Files in the system's folder for them.
    temporary: usize,
}

impl Gauge {
    pub(super) fn of(gateway: &Gateway) -> Self {
        let process = format!("/proc/{}", gateway.id());
        let status = fs::read_to_string(format!("{process}/status")).ok();
        let rss = status.as_deref().and_then(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.trim().strip_suffix(" kB")?.parse().ok()
        });
        Self {
            rss_kb: rss,
            descriptors: fs::read_dir(format!("{process}/fd")).ok().map(Iterator::count),
            outbox: gateway.outbox(),
            partial: gateway.partial(),
            temporary: gateway.temporary().len(),
        }
    }

    /// Says whether no more is held than before, give or take what caches and
    /// connections do.
    pub(super) fn is_flat_since(&self, middle: &Self) -> bool {
        let is_memory_flat = match (self.rss_kb, middle.rss_kb) {
            (Some(now), Some(before)) => now <= before + before / 4 + 8 * 1024,
            (None, _) | (_, None) => true,
        };
        let are_descriptors_flat = match (self.descriptors, middle.descriptors) {
            (Some(now), Some(before)) => now <= before + 20,
            (None, _) | (_, None) => true,
        };
        is_memory_flat
            && are_descriptors_flat
            && self.outbox.is_empty()
            && self.partial.is_empty()
            && self.temporary <= middle.temporary
    }

    #[track_caller]
    pub(super) fn assert_flat_since(&self, middle: &Self) {
        assert!(self.is_flat_since(middle), "in the middle {middle:?}, at the end {self:?}");
    }
}
