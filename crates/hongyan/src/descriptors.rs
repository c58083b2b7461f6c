//! How many files and connections may be open.

/// Allows as many as the system lets this user have. Each account keeps a
/// connection open for its poll; the usual 1,024 would be full with a few
/// hundred of them.
#[cfg(unix)]
pub(crate) fn allow_many() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    if let Err(err) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(error = %err, ?current, "no more files can be open than at the start");
    }
}

/// There is no such limit here.
#[cfg(not(unix))]
pub(crate) fn allow_many() {}
