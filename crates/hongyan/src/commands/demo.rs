//! `hongyan demo`: backend, gateway and one bound account in one process.

use std::path::PathBuf;
use std::time::Duration;

use backend::{Backend, Config, Seen, SeenItem, User};
use gateway::Gateway;
use tokio::time::{Instant, sleep};

use super::backend::{policy, start as start_backend};
use super::login::{Face, LoginRequest};
use crate::agents;
use crate::cli::DemoArgs;
use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::host::{Running, Wanted};
use crate::texts::t;
use crate::{output, signals};

/// The person in front of the phone.
const PERSON: &str = "You";
/// How long a stop may take.
const GRACE: Duration = Duration::from_millis(600);
/// How long `--say` waits for the conversation to come to rest.
const SAY_PATIENCE: Duration = Duration::from_secs(300);
/// How often `--say` looks.
const LOOK: Duration = Duration::from_millis(10);

pub(crate) async fn run(args: DemoArgs, named: Option<PathBuf>) -> Result<(), CliError> {
    let home = Home::open(named)?;
    let only = agents::named(&args.agent)?;
    let backend = start_backend(Config {
        store: Some(home.state.backend()),
        policy: policy(args.policy),
        quiet: true,
        ..Config::default()
    })
    .await?;
    let person = backend.user(PERSON).await;
    let bot = home.log_in(&backend, &person, args.login).await?;

    let wanted = Wanted { only, allow_from: Vec::new() };
    let Running { gateway, .. } = Running::start(home.state.clone(), wanted).await?;
    let outcome = match &args.say {
        Some(text) => say(&person, text, &gateway).await,
        None => {
            home.introduce(&phone_page(&backend, &person, bot.as_deref()), args.no_open);
            signals::stop_asked().await;
            output::note(t!("demo.stopping"));
            Ok(())
        }
    };
    stop(&gateway, &backend).await;
    outcome
}

async fn stop(gateway: &Gateway, backend: &Backend) {
    gateway.stop(GRACE).await;
    // Its own clients are gone; pages that listen need no farewell.
    backend.kill().await;
}

/// Where the demo keeps its state: a folder that was named, or a temporary one.
struct Home {
    state: State,
    temporary: Option<tempfile::TempDir>,
}

impl Home {
    fn open(named: Option<PathBuf>) -> Result<Self, CliError> {
        if let Some(dir) = named {
            return Ok(Self { state: State::at(dir), temporary: None });
        }
        let made = tempfile::Builder::new().prefix("hongyan-demo-").tempdir();
        let temporary = made
            .map_err(|err| CliError::new(Kind::Config, err.to_string()).hinted(t!("hint.state")))?;
        let state = State::at(temporary.path().to_owned());
        Ok(Self { state, temporary: Some(temporary) })
    }

    /// Makes sure that a bot is logged in, and returns its id: the one of an
    /// earlier demo, one that the person scans by hand, or a new one.
    async fn log_in(
        &self,
        backend: &Backend,
        person: &User,
        by_hand: bool,
    ) -> Result<Option<String>, CliError> {
        if by_hand {
            output::note(t!("demo.scan", url = phone_page(backend, person, None)));
            let base = backend.url().parse().map_err(CliError::bug)?;
            let mut request = LoginRequest::default();
            request.options.base_url = Some(base);
            request.log_in(&self.state, Face::Terminal).await?;
            return Ok(None);
        }
        let registry = self.state.weixin().registry();
        let failed = |err: weixin::CredentialsError| {
            CliError::new(Kind::Config, err.to_string()).caused_by(err)
        };
        let base_url = backend.url().parse().map_err(CliError::bug)?;
        if let Some(account) = registry.accounts().map_err(failed)?.pop()
            && let Some(mut known) = registry.load(&account).map_err(failed)?
        {
            // The backend listens on another port each time.
            known.base_url = Some(base_url);
            registry.save(&account, &known).map_err(failed)?;
            return Ok(weixin::account_id::bot_id(&account).map(|bot| bot.to_string()));
        }
        let bound = backend.bind(person).await;
        let bot = bound.bot_id.to_string();
        let issued = ilink::login::Credentials {
            token: bound.token,
            bot_id: bound.bot_id,
            user_id: Some(bound.user_id),
            base_url,
        };
        weixin::login::keep(&registry, issued).map_err(failed)?;
        Ok(Some(bot))
    }

    fn introduce(&self, page: &str, no_open: bool) {
        output::line(t!("demo.phone", url = page));
        output::note(t!("demo.ready"));
        let dir = self.state.dir().display().to_string();
        output::aside(match self.temporary {
            Some(_) => t!("demo.temporary", dir = dir),
            None => t!("demo.state", dir = dir),
        });
        if !no_open && open::that_detached(page).is_err() {
            output::aside(t!("demo.no_browser"));
        }
    }
}

/// Returns the address of the phone page, with the person and the chat chosen.
fn phone_page(backend: &Backend, person: &User, bot: Option<&str>) -> String {
    let mut page = format!("{}/phone/?user={}", backend.url(), person.id());
    if let Some(bot) = bot {
        page.push_str("&bot=");
        page.push_str(bot);
    }
    page
}

/// Says something as the person and prints what comes back, until nothing more
/// is on its way.
async fn say(person: &User, text: &str, gateway: &Gateway) -> Result<(), CliError> {
    let mut n_printed = person.sees().await.len();
    let asked = person.says(text).await;
    let begun = Instant::now();
    while begun.elapsed() < SAY_PATIENCE {
        // In this order: a message that was acknowledged is in the inbox until
        // its replies are in the outbox, and these are there until they are seen.
        let is_read = person.sees().await.iter().any(|it| it.id == asked && it.delivered);
        let at_rest = is_read && is_at_rest(gateway).await?;
        let seen = person.sees().await;
        seen.iter().skip(n_printed).filter(|message| !message.from_me).for_each(print);
        n_printed = seen.len();
        if at_rest {
            return Ok(());
        }
        sleep(LOOK).await;
    }
    let secs = SAY_PATIENCE.as_secs();
    Err(CliError::new(Kind::Unavailable, t!("error.no_answer", secs = secs)))
}

async fn is_at_rest(gateway: &Gateway) -> Result<bool, CliError> {
    for channel in gateway.channels() {
        let accounts = channel.status().await?;
        if accounts.iter().any(|account| account.inbox > 0 || account.outbox > 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn print(message: &Seen) {
    for item in &message.items {
        match item {
            SeenItem::Text(text) => output::line(text),
            SeenItem::Image(_) => output::line(t!("demo.picture")),
            SeenItem::Voice(_) => output::line(t!("demo.voice")),
            SeenItem::Video(_) => output::line(t!("demo.video")),
            SeenItem::File(file) => output::line(t!("demo.file", name = file.name)),
            SeenItem::Tool { name, status, .. } => output::aside(format!("{name}: {status}")),
            SeenItem::Unsupported(_) => {}
        }
    }
}
