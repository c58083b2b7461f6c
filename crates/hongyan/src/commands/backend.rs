//! `hongyan backend`

use std::io::ErrorKind;

use backend::{Backend, Config, Policy, StartError};

use crate::agents::secret_from_env;
use crate::cli::{BackendArgs, PolicyName};
use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::texts::t;
use crate::{output, signals};

pub(crate) async fn run(args: BackendArgs, state: &State) -> Result<(), CliError> {
    let admin_token = args.admin_token_env.as_deref().map(secret_from_env).transpose()?;
    let config = Config {
        listen: args.listen,
        store: Some(state.backend()),
        public_url: args.public_url.map(|url| url.to_string()),
        policy: policy(args.policy),
        admin_token,
        ..Config::default()
    };
    let backend = start(config).await?;
    let name = match args.policy {
        PolicyName::Open => "open",
        PolicyName::Tencent => "tencent",
    };
    output::line(t!("backend.listening", url = backend.url(), policy = name));
    output::line(t!("backend.phone", url = backend.url()));
    output::aside(t!("backend.login", url = backend.url()));
    signals::stop_asked().await;
    output::note(t!("demo.stopping"));
    tokio::select! {
        () = backend.stop() => {}
        () = signals::stop_asked() => backend.kill().await,
    }
    Ok(())
}

pub(crate) fn policy(name: PolicyName) -> Policy {
    match name {
        PolicyName::Open => Policy::open(),
        PolicyName::Tencent => Policy::tencent(),
    }
}

pub(crate) async fn start(config: Config) -> Result<Backend, CliError> {
    Backend::run(config).await.map_err(|err| {
        let in_use = matches!(&err, StartError::Listen { source, .. } if source.kind() == ErrorKind::AddrInUse);
        let failed = CliError::new(Kind::Config, err.to_string()).caused_by(err);
        if in_use { failed.hinted(t!("hint.address_in_use")) } else { failed }
    })
}
